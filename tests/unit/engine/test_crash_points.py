"""A worker dies where it was told to, and only there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import WrongUse
from streams.engine.crash_points import VARIABLE, Point, _Armed

_PROGRAM = """
from streams.engine.crash_points import Point, reach
for number in range(3):
    print(number, flush=True)
    reach(Point.PARTS_SENT)
    reach(Point.PARTS_ACKED)
"""


def run(crash_at: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, VARIABLE: crash_at}
    command = [sys.executable, "-c", _PROGRAM]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("crash_at", "printed"),
    [("checkpoint.parts_sent", "0\n"), ("checkpoint.parts_acked:2", "0\n1\n")],
)
def test_a_process_dies_when_it_gets_there(crash_at: str, printed: str) -> None:
    ended = run(crash_at)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, printed)


def test_it_lives_on_where_nothing_is_asked_for() -> None:
    assert run("").returncode == 0


@pytest.mark.parametrize("wanted", ["nowhere", "sink.committing:x", ":1"])
def test_what_cannot_be_meant_is_refused(wanted: str) -> None:
    with pytest.raises(WrongUse, match=r"sink\.committing"):
        _Armed(wanted)


def test_each_point_lies_somewhere() -> None:
    root = Path(__file__).parents[3] / "streams"
    code = "".join(path.read_text() for path in root.rglob("*.py"))
    assert [point for point in Point if f"reach(Point.{point.name})" not in code] == []
