"""Microseconds of CPU an event that decoding, weighing and framing take, and what snapshots cost.

    python -m bench.weigh [events] [records of one fetch]

Prints JSON. The times of the parts are of one run, after all kernels were compiled.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from schemas.model import load_model
from schemas.partitioner import partition_of
from schemas.topics import Topic
from streams.core.records import Record, RecordColumns
from streams.core.weigh_partition import WeighPartition
from streams.engine.snapshots import pack

TOPIC: Final = Topic.RETWEET
NOON: Final = 1_700_049_600_000
DAYS_MS: Final = 3 * 86_400_000
ACTORS, TARGETS = 300_000, 180_000
PARTITIONS: Final = 4
EVERY: Final = 250_000
"""Events between two snapshots."""

_T = TypeVar("_T")


class Stopwatch:
    """CPU seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def run(self, part: str, work: Callable[[], _T]) -> _T:
        """Do ``work`` and count its time under ``part``."""
        began = time.process_time()
        result = work()
        self.seconds[part] = self.seconds.get(part, 0.0) + time.process_time() - began
        return result


def events(count: int) -> list[Record]:
    """Interactions over three days, 1 % of them repeats and 1 % undos, on targets as in Zipf."""
    chance = random.Random(5)
    actors = [a for n in range(PARTITIONS * ACTORS) if _here(a := f"twitter:actor{n}")]
    made: list[Record] = []
    for number in range(count):
        at = NOON + number * DAYS_MS // count
        target = f"twitter:target{int(TARGETS ** chance.random())}"
        value = _value(number, chance.choice(actors), target, at)
        if made and (kind := chance.random()) < 0.02:
            value = chance.choice(made[-5000:]).value or b""
            if kind < 0.01:
                value = value.replace(b'"undo":false', b'"undo":true')
        made.append(Record(number, at + 700, None, value))
    return made


def _here(actor: str) -> bool:
    return partition_of(actor, PARTITIONS) == 0


def _value(number: int, actor: str, target: str, at: int) -> bytes:
    return (
        f'{{"v":1,"id":"{number}","kind":"retweet","network":"twitter","actor":"{actor}",'
        f'"target":"{target}","object":"twitter:status:{number}","at":{at},"undo":false,'
        f'"received_at":{at + 500}}}'
    ).encode()


def measure(count: int, fetch: int) -> dict[str, Any]:
    """All figures of one run."""
    model = load_model()
    _play(WeighPartition(0, PARTITIONS, model, 1 << 20), events(2000), 500, 1000)
    watch, state = _play(WeighPartition(0, PARTITIONS, model, 1 << 20), events(count), fetch, EVERY)
    return {"events": count, "records a fetch": fetch, **watch, **state}


def _play(
    weigh: WeighPartition, records: list[Record], fetch: int, every: int
) -> tuple[dict[str, float], dict[str, float]]:
    watch, number, sizes, kept = Stopwatch(), 0, 0, []
    frames_bytes = 0
    source = weigh.source(TOPIC)
    for start in range(0, len(records), fetch):
        columns = RecordColumns.of(records[start : start + fetch])
        last = start + len(columns) - 1
        watch.run("decode", lambda: source._decoder.decode(columns))  # noqa: B023
        derived = watch.run(
            "decode, weigh and frame",
            lambda: weigh.apply(TOPIC, columns, last, 0.0),  # noqa: B023
        )
        encoded = watch.run("encode frames", lambda: [f.encode() for _, f in derived.frames])  # noqa: B023
        frames_bytes += sum(map(len, encoded))
        if last // every > number or last == len(records) - 1:
            snapshot = watch.run("snapshot", lambda: weigh.snapshot(number))  # noqa: B023
            packed = watch.run(
                "snapshot to bytes",
                lambda: pack(snapshot, weigh.positions(), PARTITIONS),  # noqa: B023
            )
            kept.append(snapshot)
            sizes += len(packed)
            number += 1
    model = load_model()
    watch.run("restore", lambda: WeighPartition(0, PARTITIONS, model, 1 << 20, kept))
    each = 1e6 / len(records)
    return (
        {f"{part}, us an event": round(s * each, 3) for part, s in watch.seconds.items()},
        {
            "ids remembered": weigh.remembered,
            "restore, s": round(watch.seconds["restore"], 3),
            "changelog, bytes an event": round(sizes / len(records), 2),
            "frames, bytes an event": round(frames_bytes / len(records), 1),
        },
    )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    print(json.dumps(measure(*(given + [500_000, 16_000][len(given) :])), indent=1))
