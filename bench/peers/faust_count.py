"""Stock Faust: counts per target in windows of an hour.

Best configuration by its documentation: uvloop and the compiled parts (the bundle `fast`), long
commits (https://faust-streaming.github.io/faust/userguide/settings.html), tables in memory
(https://faust-streaming.github.io/faust/userguide/tables.html#windowing), re-keyed through a
topic of our own (`group_by` refuses a channel of several topics).
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
_halves = [0]
"""Re-keyed or counted. Faust does the first half of nearly all events before the second half of
any, so an event is done when two halves are, whichever."""

_KEPT = HOUR_SECONDS + GRACE_SECONDS

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
    datadir=os.environ["BENCH_STATE"],
)
_RAW = {"key_serializer": "raw", "value_serializer": "raw", "key_type": bytes, "value_type": bytes}
by_target = app.topic(f"{GROUP}-by-target", partitions=4, internal=True, **_RAW)
counts = app.Table("counts", default=int, partitions=4)
windows = (
    counts.hopping(HOUR_SECONDS, HOP_SECONDS, expires=_KEPT)
    if HOPPING
    else counts.tumbling(HOUR_SECONDS, expires=_KEPT)
).relative_to_stream()


def _half_done() -> None:
    _halves[0] += 1
    _progress.events = _halves[0] // 2


async def rekey(stream: faust.Stream[bytes]) -> None:
    """To the partition of the target, with the event's time as the record's."""
    async for value in stream:
        event = _decode(value)
        await by_target.send(key=event.target.encode(), value=b"1", timestamp=event.at / 1000)
        _half_done()


for _topic in TOPICS:
    app.agent(app.topic(_topic, **_RAW), name=f"rekey {_topic}")(rekey)


@app.agent(by_target)
async def count(stream: faust.Stream[bytes]) -> None:
    """One more in each window of the event."""
    async for target, _value in stream.items():  # noqa: PERF102 (a stream has no keys)
        windows[target.decode()] += 1
        _half_done()


if __name__ == "__main__":
    sys.argv = [sys.argv[0], "worker", "-l", "warn", "--without-web"]
    app.main()
