"""Pacing, routing, ids, signals and the choice of a parser."""

import os
import signal
from pathlib import Path

import pytest

from agents.formats import Format, check_format, parser_of
from agents.ids import derived_id
from agents.pacing import Pace, parse_speed
from agents.routing import route_of_broken
from agents.source import Accepted, Line
from agents.stopping import stop_on_signals
from config.errors import WrongUse
from schemas.topics import Topic
from tests.support.publishing import NOW


@pytest.mark.parametrize(
    ("text", "speed"), [("max", None), ("real", 1.0), ("x60", 60.0), ("x0.5", 0.5)]
)
def test_speeds(text: str, speed: float | None) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["", "fast", "60", "x", "x0", "x-1", "xnan", "x1e9", "X2"])
def test_unknown_speeds_are_wrong_use(text: str) -> None:
    with pytest.raises(WrongUse, match="unknown speed"):
        parse_speed(text)


def test_pace_ties_event_time_to_the_clock() -> None:
    pace = Pace(60)
    assert pace.reached(5.0) == 0
    assert pace.wait(NOW, 5.0) == 0
    assert pace.wait(NOW + 120_000, 5.0) == 2
    assert pace.wait(NOW + 120_000, 6.5) == 0.5
    assert pace.wait(NOW - 60_000, 5.0) == -1
    assert pace.reached(6.5) == NOW + 90_000


@pytest.mark.parametrize(
    ("raw", "topic", "key"),
    [
        (b'{"kind":"mention","actor":"twitter:ada', Topic.MENTION, None),
        (b'{"actor" : "twitter:ada", "kind" : "comment", ', Topic.COMMENT, b"twitter:ada"),
        (b'{"kind":"poke","actor":"twitter:ada"}', Topic.LIKE, b"twitter:ada"),
        (b'{"kind":"retweet","actor":7}', Topic.RETWEET, None),
        (b"\x00\xff", Topic.LIKE, None),
        (b"", Topic.LIKE, None),
    ],
)
def test_broken_bytes_go_where_they_claim_to_belong(
    raw: bytes, topic: Topic, key: bytes | None
) -> None:
    assert route_of_broken(raw) == (topic, key)


def test_ids_stand_for_the_facts() -> None:
    whole = derived_id("twitter", "like", "twitter:a", "twitter:b", "o", 5)
    assert whole == derived_id("twitter", "like", "twitter:a", "twitter:b", "o", 5)
    others = [
        derived_id("twitter", "like", "twitter:a", "twitter:b", "o", 6),
        derived_id("twitter", "like", "twitter:a", "twitter:b", "o"),
        derived_id("twitter", "like", "twitter:a", "twitter:b", None, 5),
        derived_id("twitter", "like", "twitter:a", None, "o", 5),
        derived_id("twitter", "retweet", "twitter:a", "twitter:b", "o", 5),
        derived_id("twitter", "like", "twitter:ab", "twitter:b", "o", 5),
    ]
    assert len({whole, *others}) == 7


def test_a_signal_asks_to_stop_and_a_second_one_acts_as_ever() -> None:
    before = signal.getsignal(signal.SIGINT)
    asked: list[bool] = []
    with stop_on_signals(lambda: asked.append(True)):
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked == [True]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


LINE = b"-348\t107\t-455\t1413331199002\t1413331280999\tPacific Standard Time"


@pytest.mark.parametrize(
    ("name", "network", "found"),
    [
        ("open_set_tw.tsv", "", "twitter"),
        ("open_set_fb.tsv.gz", "", "facebook"),
        ("open_set_fb.tsv", "googleplus", "googleplus"),
    ],
)
def test_the_network_of_a_klout_file(name: str, network: str, found: str) -> None:
    (item,) = parser_of(Format.KLOUT, Path(name), network)([Line(1, LINE)], NOW)
    assert isinstance(item, Accepted)
    assert item.interaction.network == found


def test_networks_that_are_not_known_are_wrong_use() -> None:
    with pytest.raises(WrongUse, match="which network"):
        parser_of(Format.KLOUT, Path("events.tsv"))
    with pytest.raises(WrongUse, match="unknown network 'pigeonpost'"):
        parser_of(Format.SNAP, Path("events.txt"), "pigeonpost")


@pytest.mark.parametrize(
    ("format", "body", "fits"),
    [
        (Format.SNAP, b"# head\nnoise\n1 2 1341101181 RT\n", True),
        (Format.SNAP, b"7 7 1341101181 RT\n", True),
        (Format.SNAP, b'{"id":"1"}\n', False),
        (Format.SNAP, LINE, False),
        (Format.SNAP, b"", True),
        (Format.SNAP, b"# only comments\n", False),
        (Format.KLOUT, LINE, True),
        (Format.KLOUT, b"1 2 1341101181 RT\n", False),
        (Format.JSONL, b'noise\n{"broken":\n', True),
        (Format.JSONL, b"1 2 1341101181 RT\n", False),
    ],
)
def test_a_file_of_another_format_is_noticed(
    tmp_path: Path, format: Format, body: bytes, fits: bool
) -> None:
    path = tmp_path / "events_tw.txt"
    path.write_bytes(body)
    parser = parser_of(format, path)
    if fits:
        check_format(path, format, parser)
    else:
        with pytest.raises(WrongUse, match=f"does not look like {format.value}"):
            check_format(path, format, parser)
