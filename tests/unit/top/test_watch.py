"""Watching goes on whatever is away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from config.errors import Unreachable
from renown.top.watch import Watch, Watches
from tests.support.stack import wait_until


class Numbers:
    """A probe that counts, and is away at the looks in ``away``."""

    def __init__(self, *away: int) -> None:
        self.opened = 0
        self._away = away
        self._looks = 0

    @contextmanager
    def open(self) -> Iterator["Numbers"]:
        self.opened += 1
        yield self

    def look(self) -> int:
        self._looks += 1
        if self._looks in self._away:
            raise Unreachable("it is away")
        if self._looks == 4:
            raise KeyError("a library's")
        return self._looks


def test_after_a_failure_another_probe_is_opened() -> None:
    numbers = Numbers(2)
    watch = Watch(numbers.open, 0.01)
    watch.start()
    wait_until(lambda: watch.looks >= 6, 10, "six looks")
    watch.stop()
    watch.join()
    newest = watch.history.newest
    assert newest
    assert newest.value >= 5
    assert numbers.opened == 3
    assert watch.history.trouble == ""


def test_what_is_wrong_is_told_and_what_was_seen_stays() -> None:
    numbers = Numbers(*range(2, 10_000))
    watch = Watch(numbers.open, 0.01)
    watch.start()
    wait_until(lambda: watch.history.trouble, 10, "the trouble is told")
    watch.stop()
    watch.join()
    newest = watch.history.newest
    assert newest
    assert (newest.value, watch.history.trouble) == (1, "it is away")


def test_a_look_that_hangs_holds_up_nobody() -> None:
    release = threading.Event()

    class Hanging:
        @contextmanager
        def open(self) -> Iterator["Hanging"]:
            yield self

        def look(self) -> int:
            release.wait(30)
            return 0

    watches = Watches(
        Watch(Hanging().open, 0.01), Watch(Numbers().open, 0.01), Watch(Numbers().open, 0.01)
    )
    with watches:
        watches.wait(2, 0.3)
        seen = watches.seen
    release.set()
    assert seen.broker.newest is None
    assert seen.database.newest
    assert seen.processes.newest
