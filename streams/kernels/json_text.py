"""The small steps of reading plain JSON: blanks, texts without escapes, numbers, words.

Plain JSON is printable ASCII without escapes; whoever meets anything else (UNUSUAL) leaves the
text to a complete decoder. Every step reads from ``place`` in the bytes at the address ``data`` and
stays below ``stop``, after which SLACK bytes more can be read: so eight at once at any place.
"""

from typing import Final

import numpy as np

from streams.kernels.compiling import inlined, kernel
from streams.kernels.memory import byte_at, trailing_zeros, word_at

UNUSUAL: Final = -1
SLACK: Final = 16
MOST_DIGITS: Final = 18
"""More of them may not fit int64."""

ONES: Final = np.uint64(0x0101010101010101)
TOPS: Final = np.uint64(0x8080808080808080)
QUOTES: Final = ONES * np.uint64(ord('"'))
_BACKSLASHES: Final = ONES * np.uint64(ord("\\"))
_BLANKS: Final = ONES * np.uint64(ord(" "))
_ZEROS: Final = ONES * np.uint64(ord("0"))
_SIXES: Final = ONES * np.uint64(6)
_HIGH_HALVES: Final = ONES * np.uint64(0xF0)
_LOW_HALVES: Final = ONES * np.uint64(0x0F)

_TAB, _LINE_FEED, _RETURN, _BLANK = 9, 10, 13, 32
_ZERO: Final = ord("0")
_NINE: Final = ord("9")


@kernel
def after_blanks(data: int, place: int, stop: int) -> int:
    """The next place that holds no white space; ``stop`` if there is none."""
    while place < stop:
        byte = byte_at(data, place)
        if byte > _BLANK or byte not in (_BLANK, _LINE_FEED, _RETURN, _TAB):
            break
        place += 1
    return place


@inlined
def zero_bytes(word: np.uint64) -> np.uint64:
    """The top bit of bytes that are 0; of those above the lowest such byte it may be wrong."""
    return (word - ONES) & ~word & TOPS


@kernel
def text_end(data: int, place: int, stop: int) -> int:
    """Where the quote lies that ends the text which begins at ``place``; else UNUSUAL."""
    while place < stop:
        word = word_at(data, place)
        # Top bits: of bytes below a blank, of bytes from DEL on, of quotes and of backslashes.
        special = (word - _BLANKS) & ~word
        special |= word | (word + ONES)
        special |= zero_bytes(word ^ QUOTES) | zero_bytes(word ^ _BACKSLASHES)
        special &= TOPS
        if special:
            place += trailing_zeros(special) >> 3
            if place < stop and byte_at(data, place) == ord('"'):
                return place
            return UNUSUAL
        place += 8
    return UNUSUAL


@kernel
def number_at(data: int, place: int, stop: int) -> tuple[int | np.int64, int]:
    """A number of digits only, and the place after it; else (UNUSUAL, UNUSUAL)."""
    start = place
    value = np.uint64(0)
    word = word_at(data, place)
    if (word & _HIGH_HALVES) == _ZEROS and ((word + _SIXES) & _HIGH_HALVES) == _ZEROS:
        value = _eight_digits(word)
        place += 8
    while place < stop and _ZERO <= byte_at(data, place) <= _NINE:
        value = value * np.uint64(10) + (byte_at(data, place) - np.uint64(_ZERO))
        place += 1
    digits = place - start
    if digits == 0 or digits > MOST_DIGITS or place > stop:
        return UNUSUAL, UNUSUAL
    if digits > 1 and byte_at(data, start) == _ZERO:
        return UNUSUAL, UNUSUAL
    return np.int64(value), place


@inlined
def _eight_digits(word: np.uint64) -> np.uint64:
    """The number that eight digits write, the first of them lowest in ``word``.

    Neighbours are joined to pairs, pairs to fours and these to the number: a factor adds ten (a
    hundred, ten thousand) times the lower part to the upper one.
    """
    word &= _LOW_HALVES
    pairs = (word * np.uint64(1 + (10 << 8)) >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs * np.uint64(1 + (100 << 16)) >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    return fours * np.uint64(1 + (10_000 << 32)) >> np.uint64(32)


@kernel
def truth_at(data: int, place: int, stop: int) -> tuple[int, int]:
    """1 for ``true`` or 0 for ``false``, and the place after it; else (UNUSUAL, UNUSUAL)."""
    word = word_at(data, place)
    if place + 4 <= stop and (word & np.uint64(0xFFFFFFFF)) == np.uint64(0x65757274):
        return 1, place + 4
    if place + 5 <= stop and (word & np.uint64(0xFFFFFFFFFF)) == np.uint64(0x65736C6166):
        return 0, place + 5
    return UNUSUAL, UNUSUAL
