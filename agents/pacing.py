"""How fast history is played: as it happened, N times as fast, or as fast as it goes."""

import re
from typing import Final

from config.errors import WrongUse

Speed = float | None
"""Seconds of event time played in one second of wall-clock; None: no limit."""

_FACTOR: Final = re.compile(r"x(\d{1,7}(?:\.\d{1,3})?)")


def parse_speed(text: str) -> Speed:
    """``real``, ``xN`` (N times as fast, a positive number) or ``max``; else ``WrongUse``."""
    if text == "max":
        return None
    if text == "real":
        return 1.0
    found = _FACTOR.fullmatch(text)
    if not found or not float(found[1]):
        raise WrongUse(f"unknown speed {text!r}: it is real, xN (for example x60) or max")
    return float(found[1])


class Pace:
    """Ties event time to the monotonic clock, starting with the first event time it is asked."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._origin: tuple[int, float] | None = None

    def wait(self, at: int, monotonic: float) -> float:
        """Seconds until event time ``at`` (ms) is due; 0 or less if it is."""
        if self._origin is None:
            self._origin = (at, monotonic)
        first_at, started = self._origin
        return (at - first_at) / 1000 / self._factor - (monotonic - started)

    def reached(self, monotonic: float) -> int:
        """Event time (ms) at ``monotonic``; 0 before the first."""
        if self._origin is None:
            return 0
        first_at, started = self._origin
        return first_at + int((monotonic - started) * 1000 * self._factor)
