"""Replay of a file: its interactions, published in its order, with event time in heartbeats."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from agents.clock import Clock, SystemClock
from agents.cursor import CursorFile, Position, file_identity
from agents.formats import Format, check_format, parser_of
from agents.lines import LineFile, SourceDamaged
from agents.outlet import Outlet
from agents.pacing import Pace, Speed
from agents.report import Progress, ReplayReport
from agents.routing import route_of_broken
from agents.source import Accepted, Beat, Dropped, Item, Line, Rejected
from config.errors import RenownError, WrongUse

HOUR_MS: Final = 3_600_000
_LOOK_EVERY: Final = 256
_PROGRESS_SECONDS: Final = 0.25
_CURSOR_SECONDS: Final = 1.0
_NAP_SECONDS: Final = 0.2


def replay_cursor(
    folder: Path,
    path: Path,
    format: Format,
    *,
    destination: str,
    until: int | None = None,
    repeat: int = 1,
    network: str = "",
) -> CursorFile:
    """The cursor of a replay. ``destination`` names the log: a new one starts from the beginning.

    Raises ``WrongUse`` if ``path`` cannot be read.
    """
    options: dict[str, str | int] = {
        "until": until or 0,
        "repeat": repeat,
        "network": network,
        "destination": destination,
    }
    return CursorFile.within(folder, file_identity(path, format.value, options))


class Replay:
    """Plays a file ``repeat`` times, then says in heartbeats how far event time is.

    Event time is told at each hour it reaches and at the end (``until``, or the last event time);
    it never goes back, so a second pass only repeats ids. What happened at ``until`` (ms) or later
    is not published; of the file only the first ``limit`` lines are read. Lines that give no
    interaction are passed on, with the reason in the headers, to where ``weigh`` makes them dead
    letters. When the replay has come to its end the cursor is removed: to play the file again is
    then a new wish.
    """

    def __init__(
        self,
        path: Path,
        format: Format,
        publisher: Outlet,
        *,
        speed: Speed = None,
        until: int | None = None,
        repeat: int = 1,
        limit: int | None = None,
        network: str = "",
        cursor: CursorFile | None = None,
        progress: Callable[[Progress], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Raises ``WrongUse`` if the file is not readable or clearly of another format."""
        if repeat < 1:
            raise WrongUse(f"a file cannot be played {repeat} times: give a number from 1")
        self._path = path
        self._publisher = publisher
        self._speed = speed
        self._until = until
        self._repeat = repeat
        self._limit = limit
        self._cursor = cursor
        self._tell = progress
        self._clock = clock or SystemClock()
        self._parser = parser_of(format, path, network)
        check_format(path, format, self._parser)
        self._counts = ReplayReport()
        self._passes = 0
        self._line = 0
        self._told = 0  # highest heartbeat, ms
        self._pace: Pace | None = None
        self._stopping = False
        self._saving = False
        self._started = self._saved_at = self._shown_at = 0.0
        self._seconds_before = 0.0
        self._read_before = 0
        self._fraction_before: float | None = None

    def stop(self) -> None:
        """End soon, flush and save the position; safe in signal handlers and other threads."""
        self._stopping = True

    def run(self) -> ReplayReport:
        """Play until the end or ``stop``; the report counts earlier interrupted runs as well.

        Raises:
            Unreachable: the broker is away for too long, or the cursor cannot be written.
            DeliveryFailed: the broker refuses a record.
            RenownError: the file or the cursor is damaged.
        """
        self._resume()
        self._started = self._saved_at = self._shown_at = self._clock.monotonic()
        self._seconds_before, self._read_before = self._counts.seconds, self._counts.read
        try:
            while self._passes < self._repeat and not self._stopping:
                self._play()
        except SourceDamaged:
            self._settle()
            raise
        if not self._stopping:
            if clock := self._until or self._counts.last_at:
                self._say(clock)
            self._counts.finished = True
        self._settle()
        return self._counts

    def _resume(self) -> None:
        saved = self._cursor.load() if self._cursor else None
        if not self._cursor or not saved:
            return
        try:
            self._counts = msgspec.json.decode(saved.state, type=ReplayReport)
        except msgspec.DecodeError:
            raise RenownError(
                f"the cursor {self._cursor.path} is damaged: delete it to start from the beginning"
            ) from None
        self._passes, self._line = saved.position.passes, saved.position.line

    def _play(self) -> None:
        """One pass over the file, or what is left of it."""
        self._pace = None if self._speed is None else Pace(self._speed)
        look_every = _LOOK_EVERY if self._pace is None else 1
        with LineFile(self._path) as file:
            lines: Iterator[Line] = file.lines(skip=self._line)
            if self._limit is not None:
                lines = islice(lines, max(0, self._limit - self._line))
            for number, item in enumerate(self._parser(lines, self._clock.now_ms())):
                if self._pace and isinstance(item, Accepted):
                    self._wait(self._pace, item.interaction.at, file)
                if self._stopping:
                    return
                self._handle(item)
                self._line = item.line
                if number % look_every == 0:
                    self._look(file)
        self._passes += 1
        self._line = 0

    def _handle(self, item: Item) -> None:
        counts = self._counts
        counts.read += 1
        if isinstance(item, Accepted):
            counts.read += item.folded
            counts.folded += item.folded
            self._publish(item)
        elif isinstance(item, Dropped):
            counts.read += item.folded
            counts.folded += item.folded
            counts.self_dropped += 1
        elif isinstance(item, Rejected):
            counts.rejected[item.reason] = counts.rejected.get(item.reason, 0) + 1
            self._pass_on(item)
        else:
            self._beat(item)

    def _publish(self, item: Accepted) -> None:
        counts, interaction = self._counts, item.interaction
        if self._until is not None and interaction.at >= self._until:
            counts.beyond += 1
            return
        self._say(interaction.at // HOUR_MS * HOUR_MS)
        counts.last_at = max(counts.last_at, interaction.at)
        if item.raw is None:
            interaction = replace(interaction, received_at=self._clock.now_ms())
        self._publisher.publish(interaction, item.raw)
        kind = interaction.kind.value
        counts.published[kind] = counts.published.get(kind, 0) + 1

    def _beat(self, beat: Beat) -> None:
        if self._until is not None and beat.clock >= self._until:
            self._counts.beyond += 1
            return
        self._counts.heartbeats += 1
        self._counts.last_at = max(self._counts.last_at, beat.clock)
        self._say(beat.clock)

    def _pass_on(self, item: Rejected) -> None:
        topic, key = route_of_broken(item.raw)
        source = f"{self._path.name} line {item.line}"
        headers = [
            ("renown-source", source.encode("utf-8", "replace")),
            ("renown-reason", f"{item.reason}: {item.detail}".encode("utf-8", "replace")),
        ]
        self._publisher.publish_raw(topic, key, item.raw, headers)

    def _say(self, clock: int) -> None:
        """Tell that event time has reached ``clock``, if nobody was told yet."""
        if clock > self._told:
            self._told = clock
            self._publisher.heartbeat(clock)

    def _wait(self, pace: Pace, at: int, file: LineFile) -> None:
        """Wait until ``at`` is due, telling the hours that pass meanwhile."""
        if self._until is not None and at >= self._until:
            return
        while not self._stopping and (left := pace.wait(at, self._clock.monotonic())) > 0:
            self._clock.sleep(min(left, _NAP_SECONDS))
            reached = min(at, pace.reached(self._clock.monotonic()))
            self._say(reached // HOUR_MS * HOUR_MS)
            self._publisher.poll()
            self._look(file)

    def _look(self, file: LineFile) -> None:
        """Now and then, tell the progress and save the position."""
        now = self._clock.monotonic()
        if self._tell and now - self._shown_at >= _PROGRESS_SECONDS:
            self._shown_at = now
            self._tell(self._progress(file, now))
        if self._cursor and not self._saving and now - self._saved_at >= _CURSOR_SECONDS:
            self._saved_at = now
            self._save_when_acknowledged(self._cursor)

    def _save_when_acknowledged(self, cursor: CursorFile) -> None:
        self._counts.seconds = self._seconds()
        position = Position(self._passes, self._line)
        state = msgspec.Raw(msgspec.json.encode(self._counts))

        def save() -> None:
            self._saving = False
            cursor.save(position, state)

        self._saving = True
        self._publisher.after_acknowledged(save)

    def _settle(self) -> None:
        """Wait for the broker, then keep the position, or drop it where the end was reached."""
        self._counts.seconds = self._seconds()
        if self._cursor and not self._counts.finished:
            self._save_when_acknowledged(self._cursor)
        self._publisher.flush()
        if self._cursor and self._counts.finished:
            self._cursor.clear()

    def _progress(self, file: LineFile, now: float) -> Progress:
        counts = self._counts
        fraction = (self._passes + (file.consumed / file.size if file.size else 1.0)) / self._repeat
        elapsed = now - self._started
        if self._fraction_before is None:
            # Not the fraction of the saved position: the bytes up to there were only skipped.
            self._fraction_before = fraction if self._read_before else 0.0
        done = fraction - self._fraction_before
        return Progress(
            read=counts.read,
            published=sum(counts.published.values()),
            fraction=fraction,
            rate=(counts.read - self._read_before) / elapsed if elapsed > 0 else 0.0,
            at=counts.last_at,
            remaining=elapsed * (1 - fraction) / done if done > 0 else None,
        )

    def _seconds(self) -> float:
        return self._seconds_before + self._clock.monotonic() - self._started
