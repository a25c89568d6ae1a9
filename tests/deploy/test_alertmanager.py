"""Alertmanager: its configuration, its start, and what people read."""

import json
import os
import subprocess
from pathlib import Path

import yaml

from tests.deploy.compose import ROOT
from tests.support.debian import need
from tests.support.rules import alerting_rules

FOLDER = ROOT / "deploy" / "alertmanager"
CONFIGURATION = FOLDER / "alertmanager.yml"
SECRET = "http://chat.invalid/hooks/not-for-everybody"


def started(folder: Path, webhook: str) -> tuple[str, str]:
    """What start runs with a webhook, and what it says; its files are in ``folder``."""
    program = folder / "alertmanager"
    program.write_text(f'#!/bin/sh\necho "$*"\necho "${{ALERT_WEBHOOK_URL-gone}}" >{folder}/env\n')
    program.chmod(0o700)
    script = folder / "start"
    text = (FOLDER / "start").read_text()
    # The project itself may lie in /tmp.
    text = text.replace(">/tmp/", f">{folder}/").replace("=/tmp/", f"={folder}/")
    text = text.replace("/bin/alertmanager", str(program))
    script.write_text(text.replace("/etc/alertmanager/", f"{FOLDER}/"))
    done = subprocess.run(
        ["sh", str(script)],
        env={**os.environ, "ALERT_WEBHOOK_URL": webhook},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr


def check(file: Path) -> None:
    """Amtool takes it."""
    command = [need("amtool"), "check-config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_amtool_takes_the_configuration() -> None:
    check(CONFIGURATION)


def test_the_webhook_is_written_where_it_is_read_from(tmp_path: Path) -> None:
    ran, said = started(tmp_path, SECRET)
    assert f"--config.file={CONFIGURATION}" in ran
    assert SECRET not in ran + said
    assert (tmp_path / "webhook-url").read_text() == SECRET
    assert (tmp_path / "webhook-url").stat().st_mode & 0o077 == 0
    assert (tmp_path / "env").read_text().strip() == "gone"
    assert "api_url_file: /tmp/webhook-url" in CONFIGURATION.read_text()


def test_without_a_webhook_nobody_is_told(tmp_path: Path) -> None:
    ran, said = started(tmp_path, "")
    assert "ALERT_WEBHOOK_URL is empty" in said
    made = tmp_path / "alertmanager.yml"
    assert f"--config.file={made}" in ran
    check(made)
    route = yaml.safe_load(made.read_text())["route"]
    receivers = [route["receiver"], *(each["receiver"] for each in route["routes"])]
    assert receivers == ["nobody"] * len(receivers)


def test_a_message_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    labels = {"alertname": "RenownHoles", "severity": "critical"}
    rule = alerting_rules()["RenownHoles"]
    data = {
        "status": "firing",
        "commonLabels": labels,
        "alerts": [{"status": "firing", "labels": labels, "annotations": rule["annotations"]}],
    }
    (tmp_path / "data.json").write_text(json.dumps(data))
    (tmp_path / "none.tmpl").write_text('{{ define "none" }}{{ end }}')
    chat = yaml.safe_load(CONFIGURATION.read_text())["receivers"][0]["slack_configs"][0]
    options = [f"--template.glob={tmp_path / '*.tmpl'}", f"--template.data={tmp_path}/data.json"]
    said = {}
    for part in ("title", "text", "color"):
        command = [need("amtool"), "template", "render", *options, f"--template.text={chat[part]}"]
        said[part] = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said["title"].strip() == "FIRING RenownHoles (critical)"
    assert "Frames are missing" in said["text"]
    assert "deploy/runbook.md#renownholes" in said["text"]
    assert said["color"].strip() == "danger"


def test_no_secret_in_the_configuration() -> None:
    assert "http" not in CONFIGURATION.read_text()


def test_inhibitions_name_alerts_that_exist() -> None:
    content = yaml.safe_load(CONFIGURATION.read_text())
    named = set()
    for rule in content["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            named |= set(matcher.split('"')[1].split("|"))
    assert named - {"Renown.+"} <= set(alerting_rules())
