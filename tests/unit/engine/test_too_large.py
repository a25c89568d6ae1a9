"""What becomes far too large does not fill the memory, however it is read."""

import asyncio
import struct
import subprocess
import sys
from typing import Any

import cramjam
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.subscription_state import SubscriptionState

from streams.core.records import Record
from streams.engine import transport
from streams.engine.raw_codecs import LARGEST_BATCH, TooLarge, decompressed
from tests.support.kafka_batches import CODECS, batch

COMPRESSED = {name: codec for name, codec in CODECS.items() if codec}
HERE = TopicPartition("t", 3)
PART = bytes(LARGEST_BATCH // 8)
_COMPRESS = {"gzip": cramjam.gzip, "lz4": cramjam.lz4, "zstd": cramjam.zstd}
_PEAK = """
import resource, sys
from streams.engine.raw_codecs import TooLarge, decompressed
body = memoryview(sys.stdin.buffer.read())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decompressed(int(sys.argv[1]), body)
except TooLarge:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def partition_records(data: bytes, position: int) -> Any:
    """What aiokafka makes of a response."""
    reader = fetcher.MemoryRecords(data)
    level = fetcher.READ_COMMITTED
    return fetcher.PartitionRecords(HERE, reader, [], position, None, None, True, level)


def bodies(name: str, parts: int) -> bytes:
    """``parts`` times PART, compressed as a stream of many members, frames or blocks."""
    if name in _COMPRESS:
        return bytes(_COMPRESS[name].compress(PART)) * parts
    block = bytes(cramjam.snappy.compress_raw(PART))
    framed = struct.pack(">i", len(block)) + block
    return b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1) + framed * parts


@pytest.mark.parametrize(("name", "codec"), COMPRESSED.items())
def test_memory_stays_bounded(name: str, codec: int) -> None:
    found = subprocess.run(
        [sys.executable, "-c", _PEAK, str(codec)],
        input=bodies(name, 64),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert 0 <= int(found.stdout) * 1024 < 2.5 * LARGEST_BATCH


def test_a_block_of_snappy_that_promises_gigabytes() -> None:
    with pytest.raises(TooLarge):
        decompressed(2, memoryview(b"\xff\xff\xff\xff\x0f\0"))


@pytest.fixture(scope="module", params=COMPRESSED)
def bomb(request: pytest.FixtureRequest) -> bytes:
    """A batch of the offsets 7 and 8."""
    large = Record(7, 1, None, bytes(LARGEST_BATCH))
    return batch([large, Record(8, 1, None, b"x")], COMPRESSED[request.param])


def test_read_record_by_record_it_stops_the_worker(
    bomb: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(transport, "fail_stop", said.append)
    data = batch([Record(6, 1, None, b"a")]) + bomb
    assert [record.offset for record in partition_records(data, 6)] == [6]
    [line] = said
    assert line.startswith("t, partition 3, read from offset 7: ")
    assert "become more than 64 MB" in line
    assert "kafka-delete-records" in line


def test_a_fetch_that_becomes_large_is_handed_over_bit_by_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many batches below the limit would fill the memory as well."""
    monkeypatch.setattr(transport, "raw_topics", {"t"})
    parts = [batch([Record(i, 1, None, bytes(6 << 20))], CODECS["zstd"]) for i in range(7)]

    async def handed_over() -> tuple[list[list[tuple[int, int]]], int]:
        subscriptions = SubscriptionState()
        subscriptions.assign_from_user([HERE])
        assignment = subscriptions.subscription.assignment
        assignment.state_value(HERE).seek(0)
        records = partition_records(b"".join(parts), 0)
        result = fetcher.FetchResult(
            HERE, assignment=assignment, partition_records=records, backoff=0
        )
        found = []
        while result.has_more():
            found.append([(piece.first, piece.last) for piece in result.getall(8000)])
        return found, assignment.state_value(HERE).position

    found, position = asyncio.run(handed_over())
    assert found == [[(0, 1), (2, 3)], [(4, 5), (6, 6)], []]
    assert position == 7
