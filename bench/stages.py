"""Where the processor time of an event goes: each stage of the core by itself, in one thread.

Batches are as large as fetches at full load (``--batch`` records), and time passes as if one
partition got 100,000 events a second. The stages are what a score worker does between two network
calls; "decode" is a part of "weigh", timed once more by itself. Fetching and the clients' own
threads are not in it: their share is the difference to the whole process (see throughput).
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.common import PARTITIONS, header, write_result
from bench.load import Load, events_of
from schemas.frames import decode_frame
from schemas.model import load_model
from schemas.topics import INTERACTION_TOPICS
from streams.core.column_decoder import ColumnDecoder
from streams.core.records import Record, RecordColumns
from streams.core.score import ScorePartition
from streams.core.weigh_partition import WeighPartition
from streams.engine.snapshots import pack

NAME: Final = "stages"
_HORIZON: Final = 1 << 18
_WARM: Final = 0.2
_RATE: Final = 100_000
_TICK: Final = 3
"""Batches from one emission to the next, and from checkpoint to checkpoint (about 5 s)."""
_CHECKPOINT: Final = 30


class Stages:
    """Processor seconds by stage, counted once ``counting``."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.counting = False

    def run(self, stage: str, work: Callable[[], Any]) -> Any:
        """Do it, and count."""
        began = time.process_time()
        result = work()
        if self.counting:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - began
        return result


def run(events: int, accounts: int, batch: int, folder: Path) -> dict[str, Any]:
    """The records of partition 0 of the five topics, through everything."""
    batches = _batches(Load(events=events, accounts=accounts), batch)
    model = load_model()
    weigh = WeighPartition(0, PARTITIONS, model, _HORIZON)
    scores = [ScorePartition(q, model, once=False) for q in range(PARTITIONS)]
    decoders = [ColumnDecoder(topic, 0, PARTITIONS) for topic in INTERACTION_TOPICS]
    stages, counted, offset, number = Stages(), 0, 0, 0
    frame_bytes = 0
    for step, (kind, records) in enumerate(batches):
        now = step * batch / _RATE
        if step == int(_WARM * len(batches)):
            stages.counting = True
        counted += len(records) * stages.counting
        topic = INTERACTION_TOPICS[kind]
        last = int(records.offsets[-1])
        stages.run("decode", lambda: decoders[kind].decode(records))  # noqa: B023
        derived = stages.run("weigh", lambda: weigh.apply(topic, records, last, now))  # noqa: B023
        for partition, frame in derived.frames:
            data = stages.run("frame encode", frame.encode)
            frame_bytes += len(data) * stages.counting
            held = stages.run("frame decode", lambda: decode_frame(data))  # noqa: B023
            state = scores[partition]
            stages.run("score", lambda: state.apply(held, offset, now))  # noqa: B023
            offset += 1
        if step % _TICK == 0:
            for state in scores:
                stages.run("emit", lambda: _emit(state, now))  # noqa: B023
        if step % _CHECKPOINT == _CHECKPOINT - 1:
            states: list[WeighPartition | ScorePartition] = [weigh, *scores]
            for each in states:
                stages.run(
                    "checkpoint",
                    lambda: pack(each.snapshot(number), each.positions(), PARTITIONS),  # noqa: B023
                )
            number += 1
    result = {
        **header(NAME),
        "events": counted,
        "batch": batch,
        "frame_bytes_per_event": round(frame_bytes / max(1, counted), 1),
        "cpu_us_per_event": {
            stage: round(1e6 * seconds / max(1, counted), 3)
            for stage, seconds in stages.seconds.items()
        },
    }
    write_result(NAME, result, folder)
    return result


def _emit(state: ScorePartition, now: float) -> int:
    """Updates as bytes, however the state makes them."""
    updates = state.updates(now)
    bodies = getattr(updates, "bodies", None)
    return len(bodies) if bodies is not None else sum(len(msgspec.json.encode(u)) for u in updates)


def _batches(load: Load, size: int) -> list[tuple[int, RecordColumns]]:
    """(kind, records) as fetched: a batch is full, and the kinds come by turns as they fill."""
    waiting: list[list[Record]] = [[] for _ in INTERACTION_TOPICS]
    offsets = [0] * len(INTERACTION_TOPICS)
    found = []
    now = int(time.time() * 1000)
    for event in events_of(load):
        if event.partition:
            continue
        records = waiting[event.kind]
        records.append(Record(offsets[event.kind], now, event.key, event.value))
        offsets[event.kind] += 1
        if len(records) == size:
            found.append((event.kind, RecordColumns.of(records)))
            waiting[event.kind] = []
    return found
