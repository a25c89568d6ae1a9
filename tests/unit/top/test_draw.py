"""The drawing fits its terminal, and what strangers named cannot break it."""

import io
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime

import pytest
from rich.console import Console

from renown.top.draw import draw, draw_svg, span
from renown.top.picture import Agent, Counted, Picture, Process, ShownChange, Stage
from renown.top.readings import Leader

NAMES = ["twitter:a", "mastodon:" + "long" * 30, "[red]b[/red]", "x:\x1b[31m\u202ec", "日本:語"]
FULL = Picture(
    at=datetime(2024, 3, 1, tzinfo=UTC),
    event_time=datetime(2012, 7, 4, 12, tzinfo=UTC),
    behind_seconds=4e8,
    stages=(
        Stage("published", 123_456.0, None, 9_876_543_210),
        Stage("weighed", 2.5, 1_234_567, 5),
        Stage("scored", None, None, None),
    ),
    counted=Counted(60.0, 5, 7, 1),
    dead_last_minute={"bad json": 4, "wrong type": 1},
    changes=tuple(ShownChange(name, 1.0, 99.999, "interaction", 0.3) for name in NAMES * 3),
    leaders=tuple(Leader(n, name, 50.0, -0.5) for n, name in enumerate(NAMES * 3, 1)),
    processes=(
        Process("score-1", "renown-score", True, "ready", 0.97, 512_000_000, 12_345.6),
        Process("sink", "renown-sink", False, "no answer (Connection refused)", None, None, None),
    ),
    agents=(Agent("bluesky", ("bluesky",), "running", "", 100, 3, 1.5),),
    trouble={"clickhouse": "cannot reach ClickHouse at [db]:1"},
)
EMPTY = Picture(
    at=FULL.at,
    event_time=None,
    behind_seconds=None,
    stages=(),
    counted=None,
    dead_last_minute=None,
    changes=(),
    leaders=(),
    processes=(),
    agents=(),
    trouble={"broker": "away"},
)


def lines(picture: Picture, width: int, height: int | None = None) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=False, color_system=None)
    console.print(draw(picture, width, height))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 118, 200])
def test_every_width_shows_everything(width: int) -> None:
    drawn = lines(FULL, width)
    text = " ".join(" ".join(drawn).split())
    assert max(len(line) for line in drawn) <= width
    for part in (
        "2012-07-04 12:00:00 UTC, 13 years behind",
        "123,456",
        "1,234,567",
        "last minute: 5 dead letters, 7 duplicates, 1 late",
        "4 bad json",
        "score-1",
        "97%",
        "512 MB",
        "bluesky (bluesky)",
        "[red]b[/red]",
        "99.999",
        "-0.500",
        "at [db]:1",
    ):
        assert part in text, part
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("height", [24, 30, 50])
@pytest.mark.parametrize("width", [80, 160])
def test_a_terminal_is_not_exceeded(width: int, height: int) -> None:
    drawn = lines(FULL, width, height)
    assert len(drawn) <= height
    text = "\n".join(drawn)
    assert "newest changes" in text
    assert "leaderboard" in text
    assert "no answer" in text


def test_wide_terminals_have_two_columns() -> None:
    assert any("stage" in line and "newest changes" in line for line in lines(FULL, 160))
    assert not any("stage" in line and "newest changes" in line for line in lines(FULL, 100))


def test_nothing_has_happened() -> None:
    text = "\n".join(lines(EMPTY, 80))
    assert "nothing has happened yet" in text
    assert "broker: away" in text
    assert "the broker does not answer" in text
    assert "nobody is above the lowest score yet" in text


def test_svg() -> None:
    root = ElementTree.fromstring(draw_svg(FULL, 100))
    assert root.tag.endswith("svg")
    text = "".join(root.itertext()).replace("\xa0", " ")
    assert "renown top" in text
    assert "[red]b[/red]" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0.0 s"),
        (0.34, "0.3 s"),
        (59, "59 s"),
        (60, "1 min"),
        (90, "1.5 min"),
        (7200, "2 h"),
        (86_400, "1 day"),
        (40 * 86_400, "40 days"),
        (366 * 86_400, "1 year"),
        (13.4 * 365.25 * 86_400, "13 years"),
    ],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text
