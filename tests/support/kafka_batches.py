"""Record batches of Kafka's format 2 for tests, built and read by aiokafka itself."""

import struct
from collections.abc import Sequence

import crc32c
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.core.records import Record

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
TRANSACTIONAL, CONTROL = 0x10, 0x20
COMMIT, ABORT = b"\x00\x00\x00\x01", b"\x00\x00\x00\x00"
HEADER = 61

_ATTRIBUTES, _CHECKSUM = 21, 17


def batch(
    records: Sequence[Record], codec: int = 0, producer: int = -1, attributes: int = 0
) -> bytes:
    """A batch that begins at the first record's offset; its offsets follow each other."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec,
        is_transactional=0,
        producer_id=producer,
        producer_epoch=0 if producer >= 0 else -1,
        base_sequence=-1,
        batch_size=1 << 30,
    )
    for place, (_, timestamp, key, value, headers) in enumerate(records):
        builder.append(place, timestamp, key, value, list(headers))
    raw = bytearray(builder.build())
    struct.pack_into(">q", raw, 0, records[0].offset)
    raw[_ATTRIBUTES + 1] |= attributes
    return checked(raw)


def marker(offset: int, producer: int, key: bytes) -> bytes:
    """The control batch that ends a transaction."""
    record = Record(offset, 0, key, b"\x00\x00\x00\x00\x00\x00")
    return batch([record], producer=producer, attributes=TRANSACTIONAL | CONTROL)


def checked(raw: bytes | bytearray) -> bytes:
    """A batch with its checksum made right."""
    result = bytearray(raw)
    struct.pack_into(">I", result, _CHECKSUM, crc32c.crc32c(bytes(result[_ATTRIBUTES:])))
    return bytes(result)


def read_plain(data: bytes) -> list[Record]:
    """The records of all batches, one after the other, as aiokafka reads them."""
    reader, found = MemoryRecords(data), []
    while reader.has_next():
        found += [
            Record(r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
            for r in reader.next_batch()
        ]
    return found
