"""Looks again and again, each kind of look in a thread of its own, so that none holds up another.

Whatever is away is looked for again; what was seen last stays, with what is wrong.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, Generic, Protocol, TypeVar

from config.errors import RenownError
from renown.top.picture import Histories
from renown.top.readings import History

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_LARGEST_SHARE: Final = 0.25
"""Of the time that a look may take: after a slow one the next is put off."""
_RETRY_SECONDS: Final = 1.0
_END_SECONDS: Final = 0.5


class Probe(Protocol[T_co]):
    """Something that can be looked at; raises ``RenownError`` if it is away."""

    def look(self) -> T_co:
        """Read."""
        ...


Opening = Callable[[], AbstractContextManager[Probe[T]]]


class Watch(Generic[T]):
    """Fills a history from a probe, opening another probe when one fails."""

    def __init__(self, opening: Opening[T], every: float) -> None:
        self._open = opening
        self._every = every
        self._history: History[T] = History()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._looks = 0
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def join(self) -> None:
        """Wait a moment for the end; a look that hangs is left behind."""
        self._thread.join(_END_SECONDS)

    @property
    def history(self) -> History[T]:
        """What was seen, as of now."""
        with self._lock:
            return self._history.copy()

    @property
    def looks(self) -> int:
        """How often it looked, whatever came of it."""
        return self._looks

    def _repeat(self) -> None:
        while not self._stop.is_set():
            try:
                with self._open() as probe:
                    while not self._stop.is_set():
                        self._look(probe)
            except RenownError as error:
                self._fail(str(error))
            except Exception as error:  # a client library's: the screen outlives it
                self._fail(f"unexpected {type(error).__name__}: {error}")
            self._stop.wait(min(self._every, _RETRY_SECONDS))

    def _look(self, probe: Probe[T]) -> None:
        began = time.monotonic()
        value = probe.look()
        now = time.monotonic()
        with self._lock:
            self._history.add(now, value)
            self._looks += 1
        took = now - began
        self._stop.wait(max(self._every - took, took / _LARGEST_SHARE - took, 0.0))

    def _fail(self, trouble: str) -> None:
        with self._lock:
            self._history.trouble = trouble
            self._looks += 1


class Watches:
    """The three watches of ``renown top``; use it as a context."""

    def __init__(self, broker: Watch[Any], database: Watch[Any], processes: Watch[Any]) -> None:
        self._broker, self._database, self._processes = broker, database, processes
        self._all = broker, database, processes

    def __enter__(self) -> "Watches":
        for watch in self._all:
            watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        for watch in self._all:
            watch.stop()
        for watch in self._all:
            watch.join()

    @property
    def seen(self) -> Histories:
        """All readings, as of now."""
        return Histories(
            broker=self._broker.history,
            database=self._database.history,
            processes=self._processes.history,
        )

    def wait(self, looks: int, seconds: float) -> None:
        """Until each has looked so often, but no longer than ``seconds``."""
        deadline = time.monotonic() + seconds
        while any(watch.looks < looks for watch in self._all) and time.monotonic() < deadline:
            time.sleep(0.02)
