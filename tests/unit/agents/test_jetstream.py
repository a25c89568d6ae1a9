"""The feed on connections that tests control: where it asks from, how it goes on, what it says."""

import threading
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK
from websockets.frames import Close

from agents.backoff import Backoff
from agents.dialling import Dial
from agents.sources.jetstream import DEFAULT_URLS, JetstreamFeed, place_of
from config.errors import WrongUse
from tests.support.publishing import NOW, StillClock
from tests.support.stack import wait_until

US = NOW * 1000
ONE, TWO = "wss://one.example/subscribe", "ws://two.example:6008/subscribe"

Event = bytes | Exception | float
"""What a connection does next: a message, an end, or seconds of silence."""


class Line:
    """An open connection that goes by a script."""

    def __init__(self, clock: StillClock, script: list[Event]) -> None:
        self.closed = threading.Event()
        self._clock = clock
        self._script = deque(script)

    def recv(self, timeout: float | None, *, decode: bool | None) -> str | bytes:
        assert decode is False
        event = self._script.popleft() if self._script else float(timeout or 0)
        if isinstance(event, float):
            self._clock.sleep(event)
            raise TimeoutError
        if isinstance(event, Exception):
            raise event
        return event

    def close(self) -> None:
        self.closed.set()


class World:
    """Answers each attempt to connect with the next of ``lines``; the addresses are kept."""

    def __init__(self, *lines: list[Event] | Exception) -> None:
        self.clock = StillClock()
        self.urls: list[str] = []
        self.dialled_at: list[float] = []
        self.said: list[str] = []
        self.made: list[Line] = []
        self._lines = deque(lines)

    def dial(self, url: str) -> Line:
        self.urls.append(url)
        self.dialled_at.append(self.clock.seconds)
        line = self._lines.popleft()
        if isinstance(line, Exception):
            raise line
        self.made.append(Line(self.clock, line))
        return self.made[-1]

    def feed(self, *urls: str, **options: Any) -> JetstreamFeed:
        return JetstreamFeed(
            urls or (ONE,),
            ["app.a", "app.b"],
            largest=1000,
            clock=self.clock,
            say=self.said.append,
            backoff=Backoff(1.0, 8.0, Random(1)),
            dial=self.dial,
            **options,
        )

    def cursors(self) -> list[int | None]:
        queries = [parse_qs(urlsplit(url).query) for url in self.urls]
        return [int(query["cursor"][0]) if "cursor" in query else None for query in queries]

    def hosts(self) -> list[str | None]:
        return [urlsplit(url).hostname for url in self.urls]


def receive(feed: JetstreamFeed, position: int = 0, turns: int = 200) -> bytes:
    """The next message, however many attempts it takes."""
    for _ in range(turns):
        if (message := feed.receive(position, 0.2)) is not None:
            return message
    raise AssertionError(f"no message in {turns} turns")


def idle(feed: JetstreamFeed, position: int, until: Callable[[], object]) -> None:
    for _ in range(500):
        if until():
            return
        assert feed.receive(position, 0.2) is None
    raise AssertionError("it did not come to that")


CLOSED = ConnectionClosedOK(Close(1001, "going away"), Close(1001, ""), rcvd_then_sent=True)
BROKEN = ConnectionClosedError(None, None)
TOO_BIG = ConnectionClosedError(None, Close(1009, "frame too big"))


def test_it_asks_for_what_is_wanted() -> None:
    world = World([b"m"])
    feed = world.feed()
    assert feed.detail == "not connected yet"
    assert receive(feed) == b"m"
    assert (feed.connected, feed.detail) == (True, "")
    query = parse_qs(urlsplit(world.urls[0]).query)
    assert query == {"wantedCollections": ["app.a", "app.b"], "maxMessageSizeBytes": ["1000"]}
    assert (feed.place, feed.asked_from) == ("one.example:443", 0)
    assert world.said == ["connected to one.example:443"]


def test_what_an_address_says_itself_goes_first() -> None:
    world = World([b"m"])
    receive(world.feed(f"{ONE}?wantedCollections=app.z&cursor=3&wantedDids=did:plc:x"), US)
    query = parse_qs(urlsplit(world.urls[0]).query)
    assert query["wantedCollections"] == ["app.z"]
    assert query["wantedDids"] == ["did:plc:x"]
    assert query["cursor"] == [str(US - 60_000_000)]


def test_the_overlap_is_short_at_the_same_place_and_long_at_another() -> None:
    world = World([b"a", CLOSED], [b"b", 20.0, CLOSED], [b"c"])
    feed = world.feed(ONE, TWO, place="one.example:443")
    receive(feed, US)
    receive(feed, US + 1)
    receive(feed, US + 2)
    assert world.hosts() == ["one.example", "two.example", "two.example"]
    assert world.cursors() == [US - 5_000_000, US + 1 - 60_000_000, US + 2 - 5_000_000]
    assert feed.reconnects == 2


def test_it_begins_at_the_place_that_gave_the_position() -> None:
    world = World([b"a"])
    receive(world.feed(ONE, TWO, place="two.example:6008"), US)
    assert (world.hosts(), world.cursors()) == (["two.example"], [US - 5_000_000])


def test_a_position_ahead_of_the_clock_is_not_asked_for() -> None:
    world = World([b"a"])
    receive(world.feed(place=place_of(ONE)), US + 200_000_000)
    (cursor,) = world.cursors()
    assert cursor is not None
    assert US - 5_000_000 <= cursor <= US - 4_000_000


def test_attempts_grow_rarer_and_go_round_the_places() -> None:
    refused = [OSError(111, "Connection refused") for _ in range(7)]
    world = World(*refused, [b"a", CLOSED], [b"b"])
    feed = world.feed(ONE, TWO)
    receive(feed)
    waits = [later - sooner for sooner, later in pairwise(world.dialled_at)]
    for wait, most in zip(waits, (1, 2, 4, 8, 8, 8, 8), strict=True):
        assert most / 2 <= wait <= most + 0.3
    assert world.hosts() == ["one.example", "two.example"] * 4
    assert "(Connection refused); trying two.example:6008 in" in world.said[0]
    assert "attempt 7" in world.said[6]
    receive(feed)
    assert "(it closed with code 1001 going away)" in world.said[8]


def test_a_connection_that_lasted_makes_the_next_attempts_quick_again() -> None:
    world = World(*[OSError("no")] * 4, [b"a", 11.0, BROKEN], [b"b"])
    feed = world.feed()
    receive(feed)
    receive(feed)
    assert world.said[-2].startswith(
        "connection to one.example:443 was lost (it broke off); trying"
    )
    assert world.said[-2].endswith("attempt 1")
    assert world.made[0].closed.wait(5)


def test_silence_ends_a_connection() -> None:
    world = World([b"a", 25.0, 4.0, 2.0], [b"b"])
    feed = world.feed(silence_seconds=30.0)
    receive(feed)
    assert receive(feed) == b"b"
    assert any("(nothing came for 31 s)" in line for line in world.said)


def test_while_nothing_answers_the_caller_is_not_held_up() -> None:
    world, answer = World([b"a"]), threading.Event()
    feed = world.feed()
    plain = world.dial
    feed._make = lambda url: (answer.wait(10), plain(url))[1]
    assert feed.receive(0, 0.01) is None
    assert not feed.connected
    assert feed.detail == "not connected yet"
    feed.close()
    answer.set()
    wait_until(lambda: world.made and world.made[0].closed.is_set(), 5, "it hangs up at once")


def test_a_giant_is_left_out_by_going_on_behind_it() -> None:
    world = World([b"a", TOO_BIG], [TOO_BIG], [TOO_BIG], [b"b", CLOSED], [TOO_BIG], [b"c"])
    feed = world.feed(place=place_of(ONE))
    receive(feed, US)
    receive(feed, US)
    assert world.cursors()[1:] == [US + 1_000, US + 2_000, US + 4_000]
    idle(feed, US + 9_000, lambda: not feed.connected)
    idle(feed, US + 9_000, lambda: len(world.urls) == 5)
    # Read again because of the overlap, it ends the connection at the same position as before.
    assert receive(feed, US) == b"c"
    assert world.cursors()[4:] == [US + 9_000 - 5_000_000, US + 4_000]
    assert feed.too_big == 1
    assert "given up with code 1009" in " ".join(world.said)


@pytest.mark.parametrize(
    "url", ["", "one.example", "https://one.example/", "wss://", "ws://one.example:0", "ws://[x"]
)
def test_an_address_that_cannot_be_right_is_wrong_use(url: str) -> None:
    with pytest.raises(WrongUse, match=r"wss://host\[:port\]/subscribe"):
        World().feed(ONE, url)


def test_addresses_are_told_without_secrets() -> None:
    assert place_of("wss://user:secret@one.example/x?token=secret") == "one.example:443"
    assert all(url.startswith("wss://") for url in DEFAULT_URLS)


def test_a_call_beside_can_be_abandoned_before_and_after_it_is_over() -> None:
    disposed: list[int] = []
    over = Dial(lambda: 7)
    assert over.outcome(5) == 7
    over.abandon(disposed.append)
    assert disposed == [7]
    failed: Dial[int] = Dial(lambda: 1 // 0)
    assert isinstance(failed.outcome(5), ZeroDivisionError)
    failed.abandon(disposed.append)
    assert disposed == [7]
