"""What the metrics of a score worker cost, as a share of the work that they tell of.

    python bench/metrics_cost.py > bench/results/metrics_cost.json

Work and metrics are timed in turn for each batch, in CPU seconds of one thread, so that the share
hardly depends on what else the machine does.
"""

import json
import os
import platform
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, thread_time
from typing import Any

import msgspec
from prometheus_client import generate_latest

sys.path.insert(0, str(Path(__file__).parents[1]))

from config.telemetry import new_registry
from schemas.frames import decode_frame
from schemas.interaction import Interaction
from schemas.kinds import Kind
from schemas.model import load_model
from schemas.topics import Topic
from streams.core.records import Record
from streams.core.score import ScorePartition
from streams.core.weigh_partition import WeighPartition
from streams.metrics.common import SCORE, WEIGH
from streams.metrics.score import ScoredBatch, ScoreMetrics

EVENTS = 200_000
BATCHES = (4_000, 1_000, 100)
NOW = 1_760_000_000_000
TOPIC = Topic.LIKE


def events(number: int) -> list[Record]:
    """Likes of 20,000 accounts by 50,000, one a millisecond."""
    draw = random.Random(7)
    records = []
    for offset in range(number):
        at = NOW + offset
        message = Interaction(
            id=str(offset),
            kind=Kind.LIKE,
            network="twitter",
            actor=f"twitter:{draw.randrange(50_000)}",
            target=f"twitter:{draw.randrange(20_000)}",
            at=at,
            received_at=at,
        )
        records.append(Record(offset, at, None, msgspec.json.encode(message)))
    return records


class Timed:
    """CPU seconds of a kind of work, without those of the clock itself."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def run(self, work: Callable[[], Any]) -> Any:
        """Do ``work`` and count what it takes."""
        began = thread_time()
        result = work()
        self.seconds += thread_time() - began - CLOCK_SECONDS
        return result


def clock_seconds() -> float:
    """What it costs to time nothing."""
    nothing = Timed()
    for _ in range(10_000):
        nothing.run(lambda: None)
    return nothing.seconds / 10_000


CLOCK_SECONDS = 0.0
CLOCK_SECONDS = clock_seconds()


def measure(records: list[Record], batch_size: int) -> dict[str, float]:
    """Microseconds an event of both stages and of their metrics."""
    model = load_model()
    weigh, score = (
        WeighPartition(0, 1, model, 1 << 18),
        ScorePartition(0, model, once=True),
    )
    metrics = ScoreMetrics(new_registry("bench"))
    work, told = Timed(), Timed()
    for start in range(0, len(records), batch_size):
        batch = records[start : start + batch_size]
        before = told.run(lambda: weigh.totals(TOPIC))
        derived = work.run(lambda: weigh.apply(TOPIC, batch, batch[-1].offset, monotonic()))  # noqa: B023
        encoded = work.run(lambda: [frame.encode() for _, frame in derived.frames])  # noqa: B023

        def tell_weighed() -> None:
            totals = before, weigh.totals(TOPIC)  # noqa: B023
            metrics.weighed(TOPIC, totals, derived.frames, derived.dead)  # noqa: B023
            metrics.dealt_with(WEIGH, len(batch), 0.1)  # noqa: B023

        told.run(tell_weighed)
        done = ScoredBatch()
        for data in encoded:
            frame = work.run(lambda: decode_frame(data))  # noqa: B023
            rows = score.rows
            offset = score.position + 1
            outcome = work.run(lambda: score.apply(frame, offset, monotonic()))  # noqa: B023
            told.run(lambda: done.add(frame, outcome, score.rows - rows))  # noqa: B023

        def tell_scored() -> None:
            metrics.scored(done)  # noqa: B023
            metrics.dealt_with(SCORE, len(batch), 0.1)  # noqa: B023

        told.run(tell_scored)
    each = 1e6 / len(records)
    return {
        "events a batch": batch_size,
        "work, µs an event": round(work.seconds * each, 3),
        "metrics, µs an event": round(told.seconds * each, 4),
        "share, %": round(100 * told.seconds / work.seconds, 3),
    }


def scrape() -> float:
    """Milliseconds that one scrape takes."""
    registry = new_registry("bench")
    ScoreMetrics(registry)
    timed = Timed()
    for _ in range(50):
        timed.run(lambda: generate_latest(registry))
    return round(timed.seconds * 1000 / 50, 2)


def main() -> None:
    """Print one JSON object."""
    records = events(EVENTS)
    measure(records[:20_000], BATCHES[0])
    print(
        json.dumps(
            {
                "benchmark": "metrics of a score worker",
                "date": f"{datetime.now(UTC):%Y-%m-%d}",
                "machine": f"{os.cpu_count()} cores, {platform.machine()}",
                "python": platform.python_version(),
                "events": EVENTS,
                "results": [measure(records, size) for size in BATCHES],
                "scrape, ms": scrape(),
            },
            indent=1,
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
