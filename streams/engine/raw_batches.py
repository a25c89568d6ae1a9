"""A fetch response's bytes to columns of records, without an object per record.

What is unusual (older message formats, a wrong checksum, anything malformed) raises ``Unusual``;
then the client library reads that fetch record by record, and its verdict counts.
"""

import itertools
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import crc32c
import numpy as np

from streams.core.records import Bytes, Headers, Longs, RecordColumns
from streams.engine.raw_codecs import TooLarge, Undecodable, decompressed
from streams.kernels.records import SMALLEST_RECORD, Places, Spans, locate

LARGEST_PIECE = 16 << 20
"""Bytes of records from which on a fetch is cut: compressed ones can be many times a fetch."""

_HEADER = struct.Struct(">qi4xbIhiqqq6xi")
_BEFORE_LENGTH_ENDS = 12
_CHECKED_FROM = 21
_FORMAT = 2
_CODEC = 0x07
_APPEND_TIME = 0x08
_TRANSACTIONAL = 0x10
_CONTROL = 0x20
_ABORT = b"\x00\x00"
_LARGEST_OFFSET = (1 << 63) - 1
_ALL_BITS = (1 << 64) - 1


class Unusual(ValueError):
    """Bytes that are left to the client library."""


class _Header(NamedTuple):
    """What is needed of a record batch's header in Kafka's message format 2."""

    base_offset: int
    length: int
    format: int
    checksum: int
    attributes: int
    last_offset_delta: int
    first_timestamp: int
    max_timestamp: int
    producer: int
    number: int

    @property
    def last(self) -> int:
        return self.base_offset + self.last_offset_delta

    def has(self, flag: int) -> bool:
        return bool(self.attributes & flag)


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """What a fetch, or a piece of it, covers: offsets ``first`` to ``last``.

    There need not be records at both: markers of transactions, what was aborted and what was
    compacted away are covered too. ``first`` is the position at which was read.
    """

    first: int
    last: int
    records: RecordColumns


@dataclass(frozen=True, slots=True)
class _Body:
    """The uncompressed records of a batch: ``buffer[start:stop]``."""

    header: _Header
    buffer: bytes
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    @property
    def bytes(self) -> memoryview:
        return memoryview(self.buffer)[self.start : self.stop]


@dataclass(frozen=True, slots=True)
class _HeaderReader:
    """Reads the headers of single records when somebody asks for them."""

    data: Bytes
    places: Longs

    def __call__(self, record: int) -> Headers:
        place = int(self.places[record])
        count, place = _varint(self.data, place)
        headers = []
        for _ in range(count):
            name, place = self._sized(place)
            value, place = self._sized(place)
            headers.append(((name or b"").decode(errors="replace"), value))
        return tuple(headers)

    def _sized(self, place: int) -> tuple[bytes | None, int]:
        size, place = _varint(self.data, place)
        if size < 0:
            return None, place
        return self.data[place : place + size].tobytes(), place + size


def _varint(data: Bytes, place: int) -> tuple[int, int]:
    raw = shift = 0
    while True:
        byte = int(data[place])
        place += 1
        raw |= (byte & 0x7F) << shift
        if byte < 0x80:
            raw &= _ALL_BITS  # as the kernel that found the record well-formed
            return (raw >> 1) ^ -(raw & 1), place
        shift += 7


def read(data: bytes, position: int, aborted: Iterable[tuple[int, int]] = ()) -> Iterator[Fetched]:
    """The records of a response from offset ``position`` on; raises ``Unusual``.

    ``aborted``: producer and first offset of each aborted transaction in it. Every piece begins
    where the one before ended; a last batch that is not complete is not covered.
    """
    first = last = position - 1
    pending: list[_Body] = []
    size = 0
    for header, body in _wanted(data, sorted(aborted, key=lambda entry: entry[1])):
        last = max(last, header.last)
        if body is None or header.last < position:
            continue
        if size and size + body.size > LARGEST_PIECE:
            covered = pending[-1].header.last
            yield Fetched(first + 1, covered, _columns(pending, position))
            first, pending, size = covered, [], 0
        pending.append(body)
        size += body.size
    if last > first:
        yield Fetched(first + 1, last, _columns(pending, position))


def _wanted(data: bytes, aborted: list[tuple[int, int]]) -> Iterator[tuple[_Header, _Body | None]]:
    """Each batch and its uncompressed records; None for one without records for us."""
    aborting: set[int] = set()
    for header, start, stop in _walk(data):
        while aborted and aborted[0][1] <= header.base_offset:
            aborting.add(aborted.pop(0)[0])
        if header.has(_CONTROL):
            if header.producer in aborting and _is_abort(_Body(header, data, start, stop)):
                aborting.discard(header.producer)
            yield header, None
        elif header.has(_TRANSACTIONAL) and header.producer in aborting:
            yield header, None
        else:
            yield header, _uncompressed(_Body(header, data, start, stop))


def _walk(data: bytes) -> Iterator[tuple[_Header, int, int]]:
    """Header of each complete batch, and where its records begin and end."""
    place, view = 0, memoryview(data)
    while place + _HEADER.size <= len(data):
        header = _Header(*_HEADER.unpack_from(data, place))
        start, stop = place + _HEADER.size, place + _BEFORE_LENGTH_ENDS + header.length
        if header.format != _FORMAT:
            raise Unusual(f"message format {header.format}")
        if stop > len(data):
            return
        if (
            stop < start
            or not 0 <= header.base_offset <= header.last <= _LARGEST_OFFSET
            or header.number < 0
        ):
            raise Unusual("a batch's header is malformed")
        if crc32c.crc32c(view[place + _CHECKED_FROM : stop]) != header.checksum:
            raise Unusual("a wrong checksum")
        yield header, start, stop
        place = stop


def _uncompressed(body: _Body) -> _Body:
    codec = body.header.attributes & _CODEC
    if codec == 0:
        return body
    try:
        records = decompressed(codec, body.bytes)
    except Undecodable as error:
        raise Unusual(str(error)) from error
    except TooLarge as error:
        # The client library would take all the memory there is; a restart would meet it again.
        return _instead(body.header, f"{body.header.number:,} records left out, a batch of {error}")
    return _Body(body.header, records, 0, len(records))


def _instead(header: _Header, why: str) -> _Body:
    """A batch of one record that says ``why``: nobody can read it, so people will see it."""
    nothing, value = _zigzag(-1), why.encode()
    record = b"\x00" + _zigzag(0) + _zigzag(header.last_offset_delta) + nothing
    record += _zigzag(len(value)) + value + _zigzag(0)
    record = _zigzag(len(record)) + record
    return _Body(header._replace(number=1), record, 0, len(record))


def _zigzag(number: int) -> bytes:
    left, result = (number << 1) ^ (number >> 63), bytearray()
    while left > 0x7F:
        result.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes(result + bytes([left]))


def _is_abort(body: _Body) -> bool:
    """Whether a control batch says that its producer's transaction was aborted."""
    records = _columns([body], body.header.base_offset)
    return len(records) > 0 and (records[0].key or b"")[2:4] == _ABORT


def _columns(bodies: list[_Body], position: int) -> RecordColumns:
    """The records of some batches from offset ``position`` on."""
    if any(body.header.number * SMALLEST_RECORD > body.size for body in bodies):
        raise Unusual("a batch is shorter than its records")
    buffer, starts = _joined(bodies)
    headers = [body.header for body in bodies]
    stamps = [h.max_timestamp if h.has(_APPEND_TIME) else h.first_timestamp for h in headers]
    start = np.array(starts, np.int64)
    spans = Spans(
        start=start,
        stop=start + np.array([body.size for body in bodies], np.int64),
        number=np.array([header.number for header in headers], np.int64),
        offset=np.array([header.base_offset for header in headers], np.int64),
        time=np.array(stamps, np.int64),
        step=np.array([not header.has(_APPEND_TIME) for header in headers], np.int64),
        last=np.array([header.last for header in headers], np.int64),
    )
    places = Places(*(np.empty(int(spans.number.sum()), np.int64) for _ in Places._fields))
    if not locate(buffer, spans, places):
        raise Unusual("a batch's records are malformed")
    from_here = int(np.searchsorted(places.offsets, position))
    wanted = Places(*(column[from_here:] for column in places))
    return RecordColumns(
        buffer,
        wanted.offsets,
        wanted.timestamps,
        wanted.values,
        wanted.value_sizes,
        wanted.keys,
        wanted.key_sizes,
        _HeaderReader(buffer, wanted.headers),
    )


def _joined(bodies: list[_Body]) -> tuple[Bytes, list[int]]:
    """A read-only buffer that holds all bodies, and where each begins in it."""
    if bodies and all(body.buffer is bodies[0].buffer for body in bodies):
        return np.frombuffer(bodies[0].buffer, np.uint8), [body.start for body in bodies]
    ends = itertools.accumulate((body.size for body in bodies), initial=0)
    joined = b"".join(body.bytes for body in bodies)
    return np.frombuffer(joined, np.uint8), list(ends)[:-1]
