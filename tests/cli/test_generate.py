"""``renown generate`` on the embedded broker."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from renown.cli.main import main
from renown.embedded.broker import EmbeddedBroker
from tests.support.command import assert_one_line, renown
from tests.support.stack import wait_until


def test_the_same_seed_and_start_give_the_same_events(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    arguments = ("generate", "--events", "3000", "--seed", "7", "--speed", "max", "--json")
    kafka = embedded_broker.address
    start = ("--start", "2025-03-01T12:00:00Z")
    first = renown(*arguments, *start, cwd=tmp_path, kafka=kafka)
    again = renown(*arguments, *start, cwd=tmp_path, kafka=kafka)
    other = renown(*arguments, cwd=tmp_path, kafka=kafka)
    assert (first.code, first.err) == (0, ""), first
    one, two, three = ({**r.json, "seconds": 0} for r in (first, again, other))
    assert one == two
    assert one["events"] == 3_000
    assert one["finished"]
    assert one["run"] != three["run"]


def test_it_ends_after_the_time_given_and_says_how_to_repeat_it(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    arguments = ("generate", "--rate", "300", "--seconds", "1")
    result = renown(*arguments, cwd=tmp_path, kafka=embedded_broker.address)
    assert result.code == 0, result
    lines = result.out.splitlines()
    assert 250 <= int(lines[0].split()[0]) <= 400
    assert lines[0].endswith(" UTC")
    assert lines[-1].startswith("again   --seed 1 --start 20")


def test_sigterm_ends_it_well(embedded_broker: EmbeddedBroker, tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RENOWN_")}
    environment |= {"RENOWN_KAFKA": embedded_broker.address}
    command = [sys.executable, "-m", "renown", "generate", "--rate", "500", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        status = tmp_path / ".data" / "agents" / "generate.json"
        wait_until(lambda: status.exists() and b'"cursor_at":0' not in status.read_bytes(), 30, "")
        process.send_signal(signal.SIGTERM)
        out, _err = process.communicate(timeout=30)
    assert process.returncode == 0, "without an end of its own this is its end"
    report = json.loads(out)
    assert report["events"] > 0
    assert not report["finished"]
    told = json.loads(status.read_bytes())
    assert (told["state"], told["published"]) == ("stopped", report["published"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rate", "many"), "--rate many: give max or a number"),
        (("--rate", "0"), "--rate 0: give max or a number"),
        (("--rate", "max", "--speed", "x2"), "--rate max is live"),
        (("--start", "2100-01-01"), "lies in the future"),
        (("--start", "yesterday"), "'yesterday' is no time"),
        (("--start", "1999-01-01"), "from 2006 on"),
        (("--speed", "fast"), "unknown speed 'fast'"),
        (("--accounts", "3"), "a world of 3 accounts cannot be"),
        (("--dirt", "0.8"), "a share of dirt of 0.8"),
    ],
)
def test_wrong_use_is_told_before_anything_is_needed(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert main(["generate", *arguments]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert (told.out, told.err.count("\n")) == ("", 1)


def test_without_a_broker_it_is_unreachable(tmp_path: Path, closed_port: int) -> None:
    result = renown("generate", cwd=tmp_path, kafka=f"127.0.0.1:{closed_port}")
    assert_one_line(result, 3, "RENOWN_KAFKA")
