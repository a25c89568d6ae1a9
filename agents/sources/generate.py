"""The made-up world, published: at a steady rate as it happens, or history as fast as it goes."""

from collections import Counter
from collections.abc import Callable
from enum import Enum
from typing import Final

import msgspec
from msgspec.structs import replace

from agents.clock import Clock, SystemClock
from agents.outlet import Outlet
from agents.routing import route_of_broken
from agents.world.ledger import POST, Event
from agents.world.timeline import Timeline
from agents.world.world import World
from schemas.interaction import Interaction
from schemas.post import Post

_HOUR_MS: Final = 3_600_000
_SLICE_SECONDS: Final = 0.02
_LONGEST_NAP_SECONDS: Final = 0.2
_BEAT_SECONDS: Final = 1.0
_LARGEST_BURST_SECONDS: Final = 1.0
"""What is made up for after a pause."""

_UNPACED_EVENTS: Final = 512


class Pacing(Enum):
    """What decides when an event is due.

    LIVE: the wall clock is event time. HISTORY: event time begins in the past and goes at its own
    speed, or at none; it never overtakes the wall clock. UNPACED: always, and event time is the
    wall clock.
    """

    LIVE = "live"
    HISTORY = "history"
    UNPACED = "unpaced"


class GenerateReport(msgspec.Struct, kw_only=True):
    """What was published, by what must become of it; times are ms UTC.

    ``reached``: event time at the end. ``published``: kind → interactions, undos and repetitions
    included. The counts from ``accepted`` on are those of ``agents.world.ledger.Ledger``.
    ``skipped_seconds``: event time in which nothing happened because the publisher had stood
    still or could not follow. ``finished``: it came to its end and was not interrupted.
    """

    run: str
    seed: int
    start: int
    reached: int = 0
    seconds: float = 0.0
    events: int = 0
    published: dict[str, int] = {}
    accepted: dict[str, int] = {}
    networks: dict[str, int] = {}
    duplicates: int = 0
    undone: int = 0
    unmatched: int = 0
    late: int = 0
    dead: dict[str, int] = {}
    posts: int = 0
    skipped_seconds: float = 0.0
    finished: bool = False


class Generate:
    """Publishes a world until it has ``events``, ``seconds`` have passed, or ``stop``.

    Every event time that is reached is told in heartbeats, each second and at each hour of event
    time. A restart needs no position: a stream that begins at another time has other ids, so none
    of its events is taken for an old one, and a stream that begins alike is the same one.
    """

    def __init__(
        self,
        world: World,
        publisher: Outlet,
        *,
        pacing: Pacing = Pacing.LIVE,
        speed: float | None = None,
        events: int | None = None,
        seconds: float | None = None,
        tell: Callable[["Generate"], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """``speed``: of history; None: no limit. ``tell`` is called a few times a second."""
        self.acknowledged = 0
        """Event time (ms) up to which everything is acknowledged, 0 for none yet."""
        self.published: Counter[tuple[str, str]] = Counter()
        """(network, kind) → interactions; posts under ``post``."""
        self.world = world
        self._publisher = publisher
        self._pacing, self._speed = pacing, speed
        self._events, self._seconds = events, seconds
        self._tell = tell or (lambda _source: None)
        self._clock = clock or SystemClock()
        self._timeline = Timeline(world)
        self._queue: list[tuple[int, Event]] = []
        self._place = 0
        self._delay = 0  # ms by which the slots of the queue are put off
        self._told = 0  # highest heartbeat, ms
        self._skipped = 0
        self._stopping = False
        self._finished = False
        self._marked = False
        self._started = self._origin = self._beat_at = 0.0

    def stop(self) -> None:
        """End soon and flush; safe in signal handlers and other threads."""
        self._stopping = True

    def run(self) -> GenerateReport:
        """Publish until the end.

        Raises:
            Unreachable: the broker is away for too long.
            DeliveryFailed: the broker refuses a record.
        """
        self._started = self._origin = self._beat_at = self._clock.monotonic()
        self._beat(self.world.options.start)
        while not self._stopping and not self._ended():
            due = self._due()
            self._make_up_for_pauses(due)
            self._publish_until(due)
            self._look(due)
            self._nap()
        self._finished = not self._stopping
        self._beat(max(self._told, self._reached()))
        self._mark()
        self._publisher.flush()
        self._tell(self)
        return self.report()

    def report(self) -> GenerateReport:
        """What has been published so far."""
        options, ledger = self.world.options, self.world.ledger
        kinds: Counter[str] = Counter()
        for (_network, kind), number in self.published.items():
            if kind != POST:
                kinds[kind] += number
        return GenerateReport(
            run=self.world.run,
            seed=options.seed,
            start=options.start,
            reached=self._told,
            seconds=self._clock.monotonic() - self._started,
            events=ledger.events,
            published=dict(sorted(kinds.items())),
            accepted=dict(ledger.accepted),
            networks=dict(sorted(ledger.networks.items())),
            duplicates=ledger.duplicates,
            undone=ledger.undone,
            unmatched=ledger.unmatched,
            late=ledger.late,
            dead=dict(sorted(ledger.dead.items())),
            posts=ledger.posts,
            skipped_seconds=self._skipped / 1000,
            finished=self._finished,
        )

    def _ended(self) -> bool:
        if self._events is not None and self.world.ledger.events >= self._events:
            return True
        return (
            self._seconds is not None and self._clock.monotonic() - self._started >= self._seconds
        )

    def _due(self) -> int:
        """Event time (ms) up to which events are due."""
        now = self._clock.now_ms()
        if self._pacing is not Pacing.HISTORY or self._speed is None:
            return now
        passed = (self._clock.monotonic() - self._origin) * self._speed
        return min(now, self.world.options.start + int(passed * 1000))

    def _make_up_for_pauses(self, due: int) -> None:
        """Leave out (live), or put off (history), what is due for more than a second."""
        speed = 1.0 if self._pacing is Pacing.LIVE else self._speed
        if speed is None or self._pacing is Pacing.UNPACED:
            return
        most = int(_LARGEST_BURST_SECONDS * 1000 * speed)
        if (behind := due - self._next_slot() - most) <= 0:
            return
        if self._pacing is Pacing.HISTORY:
            self._origin += behind / 1000 / speed
            return
        self._skipped += behind
        self._delay += behind
        self._timeline.skip(behind)

    def _next_slot(self) -> int:
        """When the next event is due."""
        if self._place < len(self._queue):
            return self._queue[self._place][0] + self._delay
        return self._timeline.reached

    def _publish_until(self, due: int) -> None:
        """Publish what is due, but no longer than until something else has to be looked at."""
        if self._place == len(self._queue):
            self._refill(due)
        until, received_at = due - self._delay, self._clock.now_ms()
        left = self._left()
        queue, ledger = self._queue, self.world.ledger
        begin = self._place
        for at, event in queue[begin : begin + left]:
            if at > until or self._stopping:
                break
            if at // _HOUR_MS > self._told // _HOUR_MS:
                self._beat(at // _HOUR_MS * _HOUR_MS)
            self._publish(event, received_at)
            ledger.add(event)
            self._place += 1

    def _refill(self, due: int) -> None:
        """The next slice, if it begins in what is due."""
        self._queue, self._place, self._delay = [], 0, 0
        if self._pacing is Pacing.UNPACED:
            self._queue = self._timeline.fill(due, _UNPACED_EVENTS)
        while not self._queue and self._timeline.reached <= due:
            self._queue = self._timeline.next()

    def _left(self) -> int:
        events = len(self._queue)
        return events if self._events is None else self._events - self.world.ledger.events

    def _publish(self, event: Event, received_at: int) -> None:
        body, publisher = event.body, self._publisher
        if isinstance(body, Interaction):
            publisher.publish(replace(body, received_at=received_at))
            self.published[body.network, body.kind.value] += 1
        elif isinstance(body, Post):
            publisher.publish_post(body)
            self.published[body.network, POST] += 1
        else:
            topic, key = route_of_broken(body)
            headers = [
                ("renown-source", f"generate {self.world.run}".encode()),
                ("renown-reason", event.wrong.encode()),
            ]
            publisher.publish_raw(topic, key, body, headers)

    def _reached(self) -> int:
        """Event time before which everything is published."""
        return min(self._next_slot(), self._clock.now_ms())

    def _beat(self, clock: int) -> None:
        """Tell that event time has reached ``clock``, if nobody was told yet."""
        if clock > self._told:
            self._told = clock
            self._publisher.heartbeat(clock)

    def _look(self, due: int) -> None:
        """Now and then say how far event time is, and what is acknowledged."""
        now = self._clock.monotonic()
        if now - self._beat_at >= _BEAT_SECONDS:
            # Not one second from now on: late beats must not add up.
            self._beat_at += (now - self._beat_at) // _BEAT_SECONDS * _BEAT_SECONDS
            self._beat(min(due, self._reached()))
            if not self._marked:
                self._mark()
            self._tell(self)
        self._publisher.poll()

    def _mark(self) -> None:
        told = self._told

        def acknowledged() -> None:
            self._marked = False
            self.acknowledged = told

        self._marked = True
        self._publisher.after_acknowledged(acknowledged)

    def _nap(self) -> None:
        """Wait for the next slice of time, if nothing is due."""
        if self._pacing is Pacing.UNPACED or self._stopping or self._ended():
            return
        left = (self._next_slot() - self._due()) / 1000 / (self._speed or 1.0)
        if left > 0:
            self._clock.sleep(min(max(left, _SLICE_SECONDS), _LONGEST_NAP_SECONDS))
