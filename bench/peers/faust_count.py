"""Stock Faust: counts per target in windows of an hour.

Best configuration by its documentation: uvloop and the compiled parts (the bundle `fast`), long
commits (https://faust-streaming.github.io/faust/userguide/settings.html), tables in memory
(https://faust-streaming.github.io/faust/userguide/tables.html#windowing), a small message on the
way to its target, many senders (`concurrency`, .../userguide/agents.html). Fetches are small:
what is fetched at once keeps the second agent waiting.
"""

import os
import sys

import faust
import msgspec
from progress import (
    GRACE_SECONDS,
    GROUP,
    HOP_SECONDS,
    HOPPING,
    HOUR_SECONDS,
    KAFKA,
    PROCESS,
    TOPICS,
    Progress,
)


class Event(msgspec.Struct):
    """What counting needs; ``at`` in ms."""

    target: str
    at: int


_decode = msgspec.json.Decoder(Event).decode
_progress = Progress()
_SENDERS = 200
"""So many wait for the broker at a time: `send` returns with the acknowledgement."""


app = faust.App(
    GROUP,
    broker=f"kafka://{KAFKA}",
    store="memory://",
    topic_partitions=4,
    topic_replication_factor=1,
    table_standby_replicas=0,
    web_enabled=False,
    web_port=16066 + PROCESS,
    broker_commit_interval=5.0,
    consumer_auto_offset_reset="earliest",
    producer_linger_ms=5,
    producer_max_batch_size=1 << 20,
    stream_wait_empty=False,
    consumer_max_fetch_size=64 << 10,
    datadir=os.environ["BENCH_STATE"],
)
source = app.topic(
    *TOPICS, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
)
by_target = app.topic(
    f"{GROUP}-by-target",
    key_type=bytes,
    value_type=bytes,
    key_serializer="raw",
    value_serializer="raw",
    partitions=4,
    internal=True,
)
counts = app.Table("counts", default=int, partitions=4)
kept = HOUR_SECONDS + GRACE_SECONDS
windows = (
    counts.hopping(HOUR_SECONDS, HOP_SECONDS, expires=kept)
    if HOPPING
    else counts.tumbling(HOUR_SECONDS, expires=kept)
).relative_to_stream()


@app.agent(source, concurrency=_SENDERS)
async def rekey(stream: faust.Stream[bytes]) -> None:
    """To the partition of the target, with the event's time as the record's."""
    async for value in stream:
        event = _decode(value)
        await by_target.send(key=event.target.encode(), value=b"1", timestamp=event.at / 1000)


@app.agent(by_target)
async def count(stream: faust.Stream[bytes]) -> None:
    """One more in each window of the event."""
    async for target, _value in stream.items():  # noqa: PERF102 (a stream has no keys)
        windows[target.decode()] += 1
        _progress.events += 1


if __name__ == "__main__":
    sys.argv = [sys.argv[0], "worker", "-l", "warn", "--without-web"]
    app.main()
