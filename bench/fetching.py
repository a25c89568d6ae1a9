"""CPU of finding the records in a fetch: raw, and record by record, in turns; JSON.

``python -m bench.fetching``: no broker; 16,000 made-up values of about 250 bytes, for each codec.
"""

import json
import time
from collections.abc import Callable

from streams.core.records import Record, RecordColumns
from streams.engine.raw_batches import read
from tests.support.kafka_batches import CODECS, batch, read_plain

RECORDS, BATCH, TURNS = 16_000, 4_000, 7


def fetch(codec: int) -> bytes:
    """A response of several batches."""
    records = [
        Record(
            offset, 1_700_000_000_000 + offset, b"twitter:user%d" % (offset * 7919), value(offset)
        )
        for offset in range(RECORDS)
    ]
    return b"".join(batch(records[at : at + BATCH], codec) for at in range(0, RECORDS, BATCH))


def value(offset: int) -> bytes:
    """JSON of the size of an interaction."""
    fields = {
        "id": f"twitter:like:{offset * 2654435761 % (1 << 32)}",
        "kind": "like",
        "network": "twitter",
        "actor": f"twitter:user{offset * 7919 % 300_000}",
        "target": f"twitter:user{offset * 104729 % 180_000}",
        "object": f"twitter:post{offset * 15485863 % (1 << 34)}",
        "at": 1_700_000_000_000 + offset,
        "received_at": 1_700_000_000_500 + offset,
        "amount": 1,
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def microseconds(work: Callable[[], object]) -> float:
    """CPU of one call, per record."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / RECORDS * 1e6


def main() -> None:
    """Measure and print: the least of several turns, µs of CPU a record."""
    results = {}
    for name, codec in CODECS.items():
        data = fetch(codec)
        turns = [
            (
                microseconds(lambda data=data: list(read(data, 0))),  # type: ignore[misc]
                microseconds(lambda data=data: RecordColumns.of(read_plain(data))),  # type: ignore[misc]
            )
            for _ in range(TURNS)
        ]
        raw, plain = (round(min(turn[way] for turn in turns), 3) for way in (0, 1))
        results[name] = {"raw": raw, "plain": plain, "bytes": round(len(data) / RECORDS, 1)}
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
