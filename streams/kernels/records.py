"""Where the records of Kafka's batches (format 2) lie: one pass over their bytes.

A record is its length, attributes, time and offset as differences to its batch's, key, value and
headers; all numbers are zigzag varints, and a length of -1 stands for no bytes at all.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import inlined, kernel

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]

SMALLEST_RECORD: Final = 7
"""Bytes of a record with nothing in it."""
NULL: Final = np.int64(-1)

_MORE: Final = 0x80
_BITS: Final = 0x7F
_MOST_SHIFT: Final = 63
_ONE: Final = np.uint64(1)
_FAILED: Final = np.int64(-1)


class Spans(NamedTuple):
    """Batches of records in a buffer; int64[batches] each.

    Their bytes ``start`` to ``stop``, the number of records, the offset and time (ms) to which the
    records' differences are added, the ``last`` offset; ``step`` 0: all records have the batch's
    time, else 1.
    """

    start: Longs
    stop: Longs
    number: Longs
    offset: Longs
    time: Longs
    step: Longs
    last: Longs


class Places(NamedTuple):
    """Columns of records, int64[records] each: what ``locate`` fills in.

    ``headers``: where the number of a record's headers is written.
    """

    offsets: Longs
    timestamps: Longs
    values: Longs
    value_sizes: Longs
    keys: Longs
    key_sizes: Longs
    headers: Longs


@inlined
def _varint(data: Bytes, place: np.int64, stop: np.int64) -> tuple[np.int64, np.int64]:
    """The number at ``place`` and the place after it, ``_FAILED`` if it does not end in time."""
    raw, shift = np.uint64(0), 0
    after = _FAILED
    while place < stop and shift <= _MOST_SHIFT:
        byte = data[place]
        place += 1
        raw |= np.uint64(byte & _BITS) << np.uint64(shift)
        if byte < _MORE:
            after = place
            break
        shift += 7
    return np.int64(raw >> _ONE) ^ -np.int64(raw & _ONE), after


@inlined
def _sized(data: Bytes, place: np.int64, stop: np.int64) -> tuple[np.int64, np.int64, np.int64]:
    """Place and size (NULL: none) of the bytes whose length is at ``place``; the place after."""
    size, start = _varint(data, place, stop)
    if start == _FAILED or size > stop - start:
        return place, NULL, _FAILED
    if size < 0:
        return start, NULL, start
    return start, size, start + size


@kernel
def _after_headers(data: Bytes, place: np.int64, stop: np.int64) -> np.int64:
    """The place after a record's headers, ``_FAILED`` if they are not well-formed."""
    count, place = _varint(data, place, stop)
    if place == _FAILED or count < 0:
        return _FAILED
    for _ in range(count):
        _, size, place = _sized(data, place, stop)
        if place == _FAILED or size == NULL:
            return _FAILED
        _, size, place = _sized(data, place, stop)
        if place == _FAILED:
            return _FAILED
    return place


@kernel
def locate(data: Bytes, spans: Spans, places: Places) -> bool:
    """Fill in ``places``; False if a batch is not well-formed or its offsets do not ascend in it.

    ``places`` has as many records as ``spans`` together.
    """
    record, previous = 0, np.int64(-1)
    for span in range(len(spans.start)):
        place, stop = spans.start[span], spans.stop[span]
        for _ in range(spans.number[span]):
            size, place = _varint(data, place, stop)
            if place == _FAILED or size < 1 or size > stop - place:
                return False
            end = place + size
            if data[place] != 0:  # attributes, of which there are none yet
                return False
            time, place = _varint(data, place + 1, end)
            if place == _FAILED:
                return False
            delta, place = _varint(data, place, end)
            if place == _FAILED:
                return False
            key, key_size, place = _sized(data, place, end)
            if place == _FAILED:
                return False
            value, value_size, place = _sized(data, place, end)
            if place == _FAILED or place >= end:
                return False
            offset = spans.offset[span] + delta
            if delta < 0 or offset <= previous or offset > spans.last[span]:
                return False
            headers = place
            # Nearly all records have none: one byte, which is zero.
            place = place + 1 if data[place] == 0 else _after_headers(data, place, end)
            if place != end:
                return False
            places.offsets[record] = previous = offset
            places.timestamps[record] = spans.time[span] + spans.step[span] * time
            places.values[record], places.value_sizes[record] = value, value_size
            places.keys[record], places.key_sizes[record] = key, key_size
            places.headers[record] = headers
            record += 1
        if place != stop:
            return False
    return True
