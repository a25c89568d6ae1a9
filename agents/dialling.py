"""A call that may take long, made beside the thread that waits for it."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Dial(Generic[T]):
    """Calls ``make`` at once in a thread of its own, which no exit of the process waits for."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._done = threading.Event()
        self._outcome: T | Exception | None = None
        self._abandoned: Callable[[T], None] | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="dial", daemon=True).start()

    def outcome(self, seconds: float) -> T | Exception | None:
        """What the call returned or raised; None if it is not over within ``seconds``."""
        return self._outcome if self._done.wait(seconds) else None

    def abandon(self, dispose: Callable[[T], None]) -> None:
        """Wait for it no more; ``dispose`` gets what it returns, now or later."""
        with self._lock:
            if not self._done.is_set():
                self._abandoned = dispose
                return
        if self._outcome is not None and not isinstance(self._outcome, Exception):
            dispose(self._outcome)

    def _run(self) -> None:
        try:
            outcome: T | Exception = self._make()
        except Exception as error:  # it is the caller's to judge
            outcome = error
        with self._lock:
            self._outcome = outcome
            self._done.set()
            dispose = self._abandoned
        if dispose and not isinstance(outcome, Exception):
            dispose(outcome)
