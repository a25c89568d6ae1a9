"""What a source yields: one item for each thing found in it, in the order of the source.

``line`` is the position: when the item is dealt with, everything up to and including that line
(from 1) is. Bad input is an item too, so that nothing is lost in silence.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from schemas.interaction import EARLIEST_AT, LARGEST_AHEAD_MS, Interaction

ABSURD_TIME = "absurd time"
SELF = "self"
TOO_LONG = "too long"


class Line(NamedTuple):
    """One line without its line end. ``cut``: it was too long, and ``body`` is its beginning."""

    number: int
    body: bytes
    cut: bool = False


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """An interaction. ``raw``: its bytes where the source has them ready to publish, unchanged.

    Without ``raw``, ``received_at`` is set when it is published. ``folded``: lines beyond the one
    that went into it.
    """

    line: int
    interaction: Interaction
    folded: int = 0
    raw: bytes | None = None


class Beat(msgspec.Struct, frozen=True, gc=False):
    """A heartbeat that the source itself holds. ``clock``: event time in ms."""

    line: int
    clock: int


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """A sound interaction that must not count, by ``reason``: it is counted, not published."""

    line: int
    reason: str
    folded: int = 0


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """Bytes that give no interaction. ``reason`` is one of a few, ``detail`` says what is wrong."""

    line: int
    reason: str
    detail: str
    raw: bytes


Item = Accepted | Beat | Dropped | Rejected

Parser = Callable[[Iterable[Line], int], Iterator[Item]]
"""Lines and the time of receipt in ms → items. Total: never raises, whatever the bytes."""


def time_trouble(at: int, received_at: int) -> str:
    """Why an event time (ms) cannot be true, or an empty text."""
    if at < EARLIEST_AT:
        return f"event time {at} ms is before 2004"
    if at > received_at + LARGEST_AHEAD_MS:
        return f"event time {at} ms is more than 5 minutes after its receipt"
    return ""


def too_long(line: Line) -> Rejected:
    """The item of a line that was cut."""
    return Rejected(line.number, TOO_LONG, "line longer than a record may be", line.body)
