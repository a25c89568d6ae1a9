"""The rules of Prometheus: well-formed, tested for every alert, and explained in the runbook."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.scenarios import FOLDER, SCENARIOS, path, text
from tests.support.debian import need
from tests.support.rules import (
    LIMIT,
    PROMETHEUS,
    alerting_rules,
    divided,
    every_rule,
    limits,
    load,
    milliseconds,
    rule_files,
    shortened,
    write_shortened,
)

RUNBOOK = PROMETHEUS.parent / "runbook.md"
ALERTS = {
    *("RenownScoreWorkerDown", "RenownSinkDown", "RenownAgentDown", "RenownMonitorDown"),
    *("RenownClickHouseDown", "RenownBrokerDown", "RenownDeadLetterFlood", "RenownLagHigh"),
    *("RenownCanarySlow", "RenownCheckpointStale", "RenownHoles", "RenownAgentStale"),
    *("RenownSinkBehind", "RenownNoEvents"),
}


def promtool(*arguments: str) -> str:
    """What promtool says; fails with it if promtool does."""
    command = [need("promtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_takes_the_rules() -> None:
    promtool("check", "rules", "--lint-fatal", *map(str, rule_files()))


@pytest.mark.parametrize("file", ["prometheus.yml", "local.yml"])
def test_promtool_takes_the_configuration(file: str) -> None:
    promtool("check", "config", "--lint-fatal", str(PROMETHEUS / file))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_raises_its_alerts_and_no_others(name: str) -> None:
    promtool("test", "rules", str(path(name)))


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_file_of_a_scenario_is_up_to_date(name: str) -> None:
    assert path(name).read_text() == text(SCENARIOS[name]()), "python -m tests.deploy.scenarios"


def test_there_are_no_other_files_of_scenarios() -> None:
    assert {file.stem for file in FOLDER.glob("*.yml")} == set(SCENARIOS)


def test_every_alert_fires_in_a_scenario_alone() -> None:
    raised = [SCENARIOS[name]().alerts for name in SCENARIOS]
    assert all(len(alerts) <= 1 for alerts in raised)
    assert set().union(*raised) == set(alerting_rules()) == ALERTS


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_says_what_it_needs_to(alert: str) -> None:
    rule = alerting_rules()[alert]
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert milliseconds(rule["for"]) >= 60_000
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"deploy/runbook.md#{alert.lower()}"


def test_the_runbook_has_a_section_for_each_alert() -> None:
    sections = re.split(r"^## ", RUNBOOK.read_text(), flags=re.MULTILINE)[1:]
    assert {section.split("\n", 1)[0] for section in sections} == ALERTS
    for section in sections:
        for part in ("Means.", "Causes.", "Check.", "Do.", "Over"):
            assert f"**{part}" in section, f"{section[:30]}: {part}"


def test_what_a_recording_is_called() -> None:
    for rule in every_rule():
        if "record" in rule:
            assert re.fullmatch(r"renown:\w+:\w+", rule["record"])


def test_the_limits_are_plain_numbers() -> None:
    assert limits()["canary_age_seconds"] == 90
    assert all(value > 0 for value in limits().values())


def test_promtool_takes_shortened_rules(tmp_path: Path) -> None:
    written = write_shortened(tmp_path, 20)
    promtool("check", "rules", *map(str, written))
    texts = "".join(file.read_text() for file in written)
    assert "[30000ms]" in texts  # ten minutes
    assert "[10m]" not in texts


def test_durations_are_divided() -> None:
    rules = {
        "groups": [
            {
                "interval": "15s",
                "rules": [
                    {"alert": "A", "for": "1m", "expr": "rate(a[1m]) > rate(a[5m] offset 1h) + 5"},
                    {"alert": "B", "for": "0s", "expr": "max_over_time(b[10m:1m]) > 60"},
                    {"record": f"{LIMIT}lag", "expr": "vector(7)"},
                ],
            }
        ]
    }
    group = shortened(rules, 20, {"lag": 3})["groups"][0]
    assert group["interval"] == "750ms"
    assert [rule.get("for") for rule in group["rules"]] == ["3000ms", "0s", None]
    assert [rule["expr"] for rule in group["rules"]] == [
        "rate(a[3000ms]) > rate(a[15000ms] offset 180000ms) + 5",
        "max_over_time(b[30000ms:3000ms]) > 60",
        "vector(3)",
    ]
    assert rules["groups"][0]["interval"] == "15s"


def test_a_window_keeps_two_samples() -> None:
    assert divided("10s", 20, 3000) == "3000ms"
    assert milliseconds("1h30m") == 5_400_000


def test_other_limits_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no limits nonsense"):
        write_shortened(tmp_path, 1, {"nonsense": 1})


def test_both_configurations_use_the_same_rules_and_pace() -> None:
    ours, local = (load(PROMETHEUS / name) for name in ("prometheus.yml", "local.yml"))
    assert ours["rule_files"] == local["rule_files"]
    assert ours["global"]["scrape_interval"] == local["global"]["scrape_interval"] == "15s"
