"""``renown top`` on readings that are made up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config.errors import Unreachable
from renown.cli import top
from renown.cli.main import main
from renown.top.readings import BrokerReading, Change, DatabaseReading, Leader, ProcessReading
from renown.top.watch import Watch, Watches

BROKER = BrokerReading(
    published={"interactions.like/0": 10},
    behind={"weigh": 0, "score": 0, "store": 4},
    clock=1_709_294_400_000,
    changes=(Change("twitter:zoë", 1.0, 9.5, "interaction", 1_709_294_400_000),),
)
DATABASE = DatabaseReading(totals={"accepted": 6}, leaders=(Leader(1, "twitter:zoë", 9.5, 8.5),))
PROCESSES = (ProcessReading("sink", "renown-sink", False, "no answer (refused)"),)


class Always:
    """A probe that always gives the same, or raises it."""

    def __init__(self, value: object) -> None:
        self._value = value

    @contextmanager
    def open(self) -> Iterator["Always"]:
        yield self

    def look(self) -> Any:
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """What broker, database and processes give; a test may change it."""
    values: list[object] = [BROKER, DATABASE, PROCESSES]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RENOWN_KAFKA", "nowhere:1")
    monkeypatch.setattr(
        top, "_watches", lambda *_: Watches(*(Watch(Always(each).open, 0.01) for each in values))
    )
    return values


@pytest.mark.usefixtures("reading")
def test_once_is_text_without_colours(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", "--once"]) == 0
    out = capsys.readouterr().out
    assert "event time 2024-03-01 12:00:00 UTC" in out
    assert "twitter:zoë" in out
    assert "no answer (refused)" in out
    assert "\x1b" not in out


@pytest.mark.usefixtures("reading")
def test_once_as_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", "--once", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    shown = json.loads(line)
    assert shown["stages"][-1] == {
        "stage": "stored",
        "events_per_second": 0.0,
        "behind": 4,
        "total": 6,
    }
    assert shown["changes"][0]["after"] == 9.5


@pytest.mark.usefixtures("reading")
def test_once_as_svg(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["top", "--once", "--svg", "top.svg"]) == 0
    assert (tmp_path / "top.svg").read_text("utf-8").startswith("<svg")
    assert main(["top", "--once", "--svg", "no/such/folder.svg"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("renown: cannot write no/such/folder.svg")


def test_nothing_answers(reading: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    reading[0] = Unreachable("cannot reach Kafka")
    reading[1] = Unreachable("cannot reach ClickHouse")
    assert main(["top", "--once"]) == 3
    assert capsys.readouterr().err == "renown: cannot reach Kafka\n"


@pytest.mark.parametrize("away", [0, 1])
def test_one_of_both_is_away(
    away: int, reading: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    reading[away] = Unreachable("it is away")
    assert main(["top", "--once"]) == 0
    out = capsys.readouterr().out
    assert f"{('broker', 'clickhouse')[away]}: it is away" in out
    assert "twitter:zoë" in out


@pytest.mark.usefixtures("reading")
def test_without_a_terminal_it_goes_on_picture_by_picture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(top, "_pause", pause)
    assert main(["top", "--json", "--interval", "7"]) == 130
    assert [json.loads(x)["leaders"][0]["rank"] for x in capsys.readouterr().out.splitlines()] == [
        1,
        1,
        1,
    ]
    assert pauses == [7.0] * 3
