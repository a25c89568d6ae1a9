"""A person's or an orchestrator's wish to stop, as a call instead of an exception anywhere."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Within the context, SIGINT and SIGTERM call ``stop``; a second one acts as it always does.

    Only for the main thread.
    """
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in wanted}

    def handle(_number: int, _frame: FrameType | None) -> None:
        restore()
        stop()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in wanted:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
