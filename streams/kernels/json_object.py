"""One pass over a flat JSON object that has the fields of interactions and heartbeats only."""

from typing import Final

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import kernel
from streams.kernels.json_text import (
    QUOTES,
    UNUSUAL,
    after_blanks,
    number_at,
    text_end,
    truth_at,
    zero_bytes,
)
from streams.kernels.memory import byte_at, trailing_zeros, word_at

Longs = npt.NDArray[np.int64]

ID, KIND, NETWORK, ACTOR, TARGET, OBJECT, RECORD, AGENT = range(8)
AT, RECEIVED_AT, AMOUNT, VERSION, CLOCK = range(8, 13)
UNDO, ESTIMATED = range(13, 15)
FIELDS: Final = 15
"""Number of fields: first the texts, then the numbers, then what is true or false."""

_LAST_TEXT: Final = AGENT
_LAST_NUMBER: Final = CLOCK


def _key(name: str) -> np.uint64:
    """The first eight bytes of a name, the first lowest."""
    return np.uint64(int.from_bytes(name.encode()[:8], "little"))


_ID, _KIND, _NETWORK, _ACTOR = _key("id"), _key("kind"), _key("network"), _key("actor")
_TARGET, _OBJECT, _RECORD, _AGENT = _key("target"), _key("object"), _key("record"), _key("agent")
_AT, _AMOUNT, _VERSION, _CLOCK = _key("at"), _key("amount"), _key("v"), _key("clock")
_UNDO = _key("undo")
_RECEIVED, _RECEIVED_END, _FOUR_BYTES = _key("received_at"), _key('_at"'), np.uint64(0xFFFFFFFF)
_ESTIMATE, _ESTIMATE_END, _TWO_BYTES = _key("estimated"), _key('d"'), np.uint64(0xFFFF)
_ONE: Final = np.uint64(1)


@kernel
def _field_named(name: np.uint64) -> int:
    """The field of a name below eight bytes; else UNUSUAL."""
    field = UNUSUAL
    if name == _ID:
        field = ID
    elif name == _KIND:
        field = KIND
    elif name == _NETWORK:
        field = NETWORK
    elif name == _ACTOR:
        field = ACTOR
    elif name == _TARGET:
        field = TARGET
    elif name == _OBJECT:
        field = OBJECT
    elif name == _RECORD:
        field = RECORD
    elif name == _AT:
        field = AT
    elif name == _UNDO:
        field = UNDO
    elif name == _AMOUNT:
        field = AMOUNT
    elif name == _VERSION:
        field = VERSION
    elif name == _CLOCK:
        field = CLOCK
    elif name == _AGENT:
        field = AGENT
    return field


@kernel
def _field_at(data: int, place: int) -> tuple[int, int]:
    """The field whose name begins at ``place``, and the place after its quote; else UNUSUAL."""
    word = word_at(data, place)
    quote = zero_bytes(word ^ QUOTES)
    field, after = UNUSUAL, place
    if quote:
        # The lowest top bit is that of the quote: below its byte lies the name.
        below = (quote & (~quote + _ONE)) - _ONE
        field = _field_named(word & (below >> np.uint64(7)))
        after = place + (trailing_zeros(quote) >> 3) + 1
    elif word == _RECEIVED and (word_at(data, place + 8) & _FOUR_BYTES) == _RECEIVED_END:
        field, after = RECEIVED_AT, place + 12
    elif word == _ESTIMATE and (word_at(data, place + 8) & _TWO_BYTES) == _ESTIMATE_END:
        field, after = ESTIMATED, place + 10
    return field, after


@kernel
def read_object(data: int, place: int, stop: int, values: Longs, sizes: Longs) -> int:
    """Read the object from ``place`` to ``stop``: gives the bits of its fields, or UNUSUAL.

    ``values[field]`` becomes the number, 1 or 0 for true or false, or where the text begins;
    ``sizes[field]`` is the size of a text.
    """
    fields = 0
    place = after_blanks(data, place, stop)
    if place >= stop or byte_at(data, place) != ord("{"):
        return UNUSUAL
    while True:
        place = after_blanks(data, place + 1, stop)
        if place >= stop or byte_at(data, place) != ord('"'):
            return UNUSUAL
        field, place = _field_at(data, place + 1)
        if field == UNUSUAL or fields >> field & 1:
            return UNUSUAL
        fields |= 1 << field
        place = after_blanks(data, place, stop)
        if place >= stop or byte_at(data, place) != ord(":"):
            return UNUSUAL
        place = after_blanks(data, place + 1, stop)
        if field <= _LAST_TEXT:
            if place >= stop or byte_at(data, place) != ord('"'):
                return UNUSUAL
            end = text_end(data, place + 1, stop)
            values[field], sizes[field] = place + 1, end - place - 1
            place = end + 1 if end != UNUSUAL else UNUSUAL
        elif field <= _LAST_NUMBER:
            values[field], place = number_at(data, place, stop)
        else:
            values[field], place = truth_at(data, place, stop)
        if place == UNUSUAL:
            return UNUSUAL
        place = after_blanks(data, place, stop)
        if place >= stop:
            return UNUSUAL
        byte = byte_at(data, place)
        if byte == ord("}"):
            return fields if after_blanks(data, place + 1, stop) == stop else UNUSUAL
        if byte != ord(","):
            return UNUSUAL
