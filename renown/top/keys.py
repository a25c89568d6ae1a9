"""Single keys from a terminal, without waiting for the end of a line."""

import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

END: Final = "\x04"
"""The terminal is gone, or somebody pressed Ctrl-D."""


@contextmanager
def single_keys() -> Iterator[bool]:
    """Within it keys are read as they are pressed; False where stdin is no such terminal.

    Ctrl-C still interrupts.
    """
    try:
        import termios
        import tty

        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
    except (ImportError, OSError, ValueError, AttributeError):
        yield False
        return
    except termios.error:
        yield False
        return
    try:
        tty.setcbreak(number)
        yield True
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def key_within(seconds: float, *, listening: bool) -> str:
    """The key pressed within ``seconds``, or nothing. Without ``listening`` it only waits."""
    if not listening:
        time.sleep(seconds)
        return ""
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    if not ready:
        return ""
    # Not through the file object, whose buffer select does not know of.
    pressed = os.read(sys.stdin.fileno(), 1)
    return pressed.decode("ascii", "replace") if pressed else END
