"""Score updates read from JSON into columns, as far as they are what ``write_updates`` writes."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels import updates
from streams.kernels.compiling import kernel
from streams.kernels.json_text import SLACK, UNUSUAL, number_at, text_end
from streams.kernels.memory import address_of, byte_at

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]
Number = Any

HORIZONS: Final = 5
SCORE, BITS, MOMENTUM, INFLUENCE, WEIGHTS = range(5)
INTERACTIONS = WEIGHTS + HORIZONS
ENGAGERS = INTERACTIONS + HORIZONS
LEVEL = ENGAGERS + HORIZONS
CHANGE, MODEL, CLOCK, PARTITION, POSITION, EPOCH, SEQUENCE = range(LEVEL + 1, LEVEL + 8)
NUMBERS: Final = SEQUENCE + 1
"""Numbers of an update, in their order in the text."""


class Read(NamedTuple):
    """What was read of n updates.

    ``numbers``: int64[NUMBERS, n]. ``causes``: uint8[n], 0 to 2. int64[n]: where the ``profiles``
    begin and their ``sizes``, UNUSUAL where the update was not read.
    """

    numbers: Longs
    causes: Bytes
    profiles: Longs
    sizes: Longs

    @staticmethod
    def of(count: int) -> "Read":
        """To be filled with so many."""
        numbers, causes = np.empty((NUMBERS, count), np.int64), np.empty(count, np.uint8)
        return Read(numbers, causes, *np.empty((2, count), np.int64))


class Bounds(NamedTuple):
    """The least and the greatest number allowed, int64[NUMBERS] each; bytes of a profile."""

    least: Longs
    greatest: Longs
    longest_profile: int


def _before_numbers() -> tuple[Bytes, Longs]:
    """The texts before each number one after the other, and where they end."""
    comma = np.frombuffer(b",", np.uint8)
    each = [updates.SCORE, updates.BITS, updates.MOMENTUM, updates.INFLUENCE]
    for first in (updates.WEIGHTS, updates.INTERACTIONS, updates.ENGAGERS):
        each += [first] + [comma] * (HORIZONS - 1)
    each += [updates.LEVEL, updates.CHANGE, updates.BY_INTERACTION, updates.CLOCK]
    each += [updates.PARTITION, updates.POSITION, updates.EPOCH, updates.SEQUENCE]
    return np.concatenate(each), np.cumsum([len(text) for text in each], dtype=np.int64)


_BEGIN: Final = updates.PROFILE
_TEXTS, _TEXT_ENDS = _before_numbers()
_BY_TIME: Final = updates.BY_TIME
_AT_END: Final = updates.AT_END
_MINUS: Final = ord("-")
_END: Final = ord("}")


@kernel
def _after_text(
    data: int, place: Number, stop: Number, text: Bytes, first: Number, last: Number
) -> Number:
    """The place after ``text[first:last]``, if that is what stands at ``place``; else UNUSUAL."""
    if place + last - first > stop:
        return UNUSUAL
    for at in range(first, last):
        if byte_at(data, place + at - first) != text[at]:
            return UNUSUAL
    return place + last - first


@kernel
def _signed_at(data: int, place: Number, stop: Number) -> tuple[Number, Number]:
    """A number that may have a sign, and the place after it; else UNUSUAL as the place."""
    if place < stop and byte_at(data, place) == _MINUS:
        value, after = number_at(data, place + 1, stop)
        return -value, after if value else UNUSUAL
    value, after = number_at(data, place, stop)
    return value, after


@kernel
def read_updates(data: Bytes, places: Longs, sizes: Longs, bounds: Bounds, read: Read) -> int:
    """Read the updates ``data[places[i]:places[i] + sizes[i]]``; returns how many were not.

    Those are all that are not exactly as they are written here, or have a number out of
    ``bounds``, a name that is not plain ASCII, or less than SLACK bytes of ``data`` behind them.
    """
    numbers, causes, profiles, profile_sizes = read
    least, greatest, longest = bounds.least, bounds.greatest, bounds.longest_profile
    bytes_ = address_of(data)
    unread = 0
    for row in range(len(places)):
        profile_sizes[row] = UNUSUAL
        unread += 1
        start, stop = places[row], places[row] + sizes[row]
        if sizes[row] <= 0 or stop + SLACK > len(data):
            continue
        name = _after_text(bytes_, start, stop, _BEGIN, 0, len(_BEGIN))
        if name == UNUSUAL:
            continue
        place = end = text_end(bytes_, name, stop)
        if end == UNUSUAL or not 1 <= end - name <= longest:
            continue
        text = 0
        for number in range(NUMBERS):
            after = _after_text(bytes_, place, stop, _TEXTS, text, _TEXT_ENDS[number])
            if number == MODEL:
                causes[row] = 0
                if after == UNUSUAL:
                    causes[row] = 1
                    after = _after_text(bytes_, place, stop, _BY_TIME, 0, len(_BY_TIME))
                if after == UNUSUAL:
                    causes[row] = 2
                    after = _after_text(bytes_, place, stop, _AT_END, 0, len(_AT_END))
            if after == UNUSUAL:
                place = UNUSUAL
                break
            text = _TEXT_ENDS[number]
            value, place = _signed_at(bytes_, after, stop)
            if place == UNUSUAL or not least[number] <= value <= greatest[number]:
                place = UNUSUAL
                break
            numbers[number, row] = value
        if place == UNUSUAL or place + 1 != stop or byte_at(bytes_, place) != _END:
            continue
        profiles[row], profile_sizes[row] = name, end - name
        unread -= 1
    return unread
