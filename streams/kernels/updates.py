"""Score updates as JSON, written into one buffer: byte for byte what msgspec makes of them."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.cells import Cells
from streams.kernels.compiling import bare
from streams.kernels.standing import Standings

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]
Number = Any

LARGEST_UPDATE: Final = 1024
"""Bytes of an update without its name, at most: 24 numbers of 20 digits and what stands between."""
UNUSUAL: Final = -1
"""In place of an end: the name has a character that JSON writes otherwise."""


def _text(text: str) -> Bytes:
    return np.frombuffer(text.encode(), np.uint8)


PROFILE: Final = _text('{"v":1,"profile":"')
SCORE: Final = _text('","score":')
BITS: Final = _text(',"bits":')
MOMENTUM: Final = _text(',"momentum":')
INFLUENCE: Final = _text(',"influence":')
WEIGHTS: Final = _text(',"weights":[')
INTERACTIONS: Final = _text('],"interactions":[')
ENGAGERS: Final = _text('],"engagers":[')
LEVEL: Final = _text('],"level":')
CHANGE: Final = _text(',"change":')
BY_INTERACTION: Final = _text(',"cause":"interaction","model":')
BY_TIME: Final = _text(',"cause":"time","model":')
AT_END: Final = _text(',"cause":"end","model":')
CLOCK: Final = _text(',"clock":')
PARTITION: Final = _text(',"partition":')
POSITION: Final = _text(',"position":')
EPOCH: Final = _text(',"epoch":')
SEQUENCE: Final = _text(',"sequence":')
_ZERO, _MINUS, _COMMA, _QUOTE, _BACKSLASH, _SPACE = 48, 45, 44, 34, 92, 32
_END: Final = 125


class Common(NamedTuple):
    """What the updates of one moment have in common; ``sequence``: of the first of them."""

    model: int
    clock: int
    partition: int
    position: int
    epoch: int
    sequence: int


class Chosen(NamedTuple):
    """Updates to write: int64 each. ``rows``: in the standings; ``cause``: 0, 1, 2."""

    accounts: Longs
    rows: Longs
    change: Longs
    cause: Longs


@bare
def write_updates(
    chosen: Chosen, cells: Cells, found: Standings, common: Common, buffer: Bytes, ends: Longs
) -> None:
    """Write updates one after the other; ``ends[i]``: where update i ends, or UNUSUAL.

    ``buffer`` must have LARGEST_UPDATE bytes for each, and the bytes of its name.
    """
    at = 0
    for number in range(len(ends)):
        account, row = chosen.accounts[number], chosen.rows[number]
        begin = at
        at = put_text(buffer, at, PROFILE)
        name, size = cells.name_at[account], np.int64(cells.name_size[account])
        usual = True
        for place in range(name, name + size):
            byte = cells.names[place]
            usual &= byte >= _SPACE and byte not in (_QUOTE, _BACKSLASH)
            buffer[at] = byte
            at += 1
        at = put_number(buffer, put_text(buffer, at, SCORE), found.score[row])
        at = put_number(buffer, put_text(buffer, at, BITS), found.bits[row])
        at = put_number(buffer, put_text(buffer, at, MOMENTUM), found.momentum[row])
        at = put_number(buffer, put_text(buffer, at, INFLUENCE), found.influence[row])
        at = put_numbers(buffer, put_text(buffer, at, WEIGHTS), found.sums[row, 0])
        at = put_numbers(buffer, put_text(buffer, at, INTERACTIONS), found.sums[row, 1])
        at = put_numbers(buffer, put_text(buffer, at, ENGAGERS), found.sums[row, 2])
        at = put_number(buffer, put_text(buffer, at, LEVEL), np.int64(cells.level[account]))
        at = put_number(buffer, put_text(buffer, at, CHANGE), chosen.change[number])
        if chosen.cause[number] == 0:
            at = put_text(buffer, at, BY_INTERACTION)
        elif chosen.cause[number] == 1:
            at = put_text(buffer, at, BY_TIME)
        else:
            at = put_text(buffer, at, AT_END)
        at = put_number(buffer, at, np.int64(common.model))
        at = put_number(buffer, put_text(buffer, at, CLOCK), np.int64(common.clock))
        at = put_number(buffer, put_text(buffer, at, PARTITION), np.int64(common.partition))
        at = put_number(buffer, put_text(buffer, at, POSITION), np.int64(common.position))
        at = put_number(buffer, put_text(buffer, at, EPOCH), np.int64(common.epoch))
        at = put_text(buffer, at, SEQUENCE)
        at = put_number(buffer, at, np.int64(common.sequence) + number)
        buffer[at] = _END
        at += 1
        ends[number] = at
        if not usual:
            at, ends[number] = begin, UNUSUAL


@bare
def put_text(buffer: Bytes, at: Number, text: Bytes) -> Number:
    """Write a text; returns where it ends."""
    for place in range(len(text)):
        buffer[at + place] = text[place]
    return at + len(text)


@bare
def put_number(buffer: Bytes, at: Number, value: Number) -> Number:
    """Write a number in decimal digits; returns where it ends."""
    if value < 0:
        buffer[at] = _MINUS
        at, value = at + 1, -value
    end, rest = at + 1, value // 10
    while rest:
        end, rest = end + 1, rest // 10
    for place in range(end - 1, at - 1, -1):
        buffer[place] = _ZERO + value % 10
        value //= 10
    return end


@bare
def put_numbers(buffer: Bytes, at: Number, values: Longs) -> Number:
    """Write numbers with commas between; returns where they end."""
    for place in range(len(values)):
        if place:
            buffer[at] = _COMMA
            at += 1
        at = put_number(buffer, at, values[place])
    return at
