"""Bytewax: counts per target in windows of an hour.

Best configuration by its documentation: two processes that exchange by key
(https://docs.bytewax.io/stable/guide/concepts/execution-model.html), large batches from the Kafka
source (https://docs.bytewax.io/stable/api/bytewax/bytewax.connectors.kafka.html), a fold that
needs no order (https://docs.bytewax.io/stable/api/bytewax/bytewax.operators.windowing.html), no
recovery store, which would cost more. Decoding by msgspec with the two fields that are needed. Run
by ``python -m bytewax.run bytewax_count:flow``.
"""

from datetime import UTC, datetime, timedelta

import bytewax.operators as op
import bytewax.operators.windowing as win
import msgspec
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink
from confluent_kafka import OFFSET_BEGINNING
from progress import (
    HOP_SECONDS,
    HOPPING,
    HOPS,
    HOUR_SECONDS,
    KAFKA,
    TOPICS,
    Progress,
)


class Event(msgspec.Struct):
    """What counting needs; ``at`` in ms."""

    target: str
    at: int


_decode = msgspec.json.Decoder(Event).decode
_progress = Progress()
_WAIT = timedelta(days=10)
"""Nothing is late: its sources are read further apart than those of the others."""

_folds = [0]


def _keyed(message: KafkaSourceMessage) -> tuple[str, Event]:
    event = _decode(message.value)
    return event.target, event


def _add(count: int, _event: Event) -> int:
    _folds[0] += 1
    if _folds[0] % HOPS == 0:
        _progress.events += 1
    return count + 1


def _moment(event: Event) -> datetime:
    return datetime.fromtimestamp(event.at / 1000, UTC)


class _Nowhere(list):  # type: ignore[type-arg]
    """Takes results and keeps none."""

    def append(self, _item: object) -> None:
        """Nothing."""

    def extend(self, _items: object) -> None:
        """Nothing."""


def build() -> Dataflow:
    """Kafka, key, fold in windows."""
    hour, aligned = timedelta(seconds=HOUR_SECONDS), datetime(2026, 1, 1, tzinfo=UTC)
    windower = (
        win.SlidingWindower(length=hour, offset=timedelta(seconds=HOP_SECONDS), align_to=aligned)
        if HOPPING
        else win.TumblingWindower(length=hour, align_to=aligned)
    )
    clock = win.EventClock(ts_getter=_moment, wait_for_system_duration=_WAIT)
    flow = Dataflow("count")
    source = KafkaSource(
        [KAFKA], TOPICS, tail=True, starting_offset=OFFSET_BEGINNING, batch_size=5_000,
        add_config={"fetch.message.max.bytes": str(4 << 20), "check.crcs": "false"},
    )  # fmt: skip
    keyed = op.map("key", op.input("kafka", flow, source), _keyed)
    counts = win.fold_window(
        "count", keyed, clock, windower, int, _add, lambda a, b: a + b, ordered=False
    )
    op.output("nowhere", counts.down, TestingSink(_Nowhere()))
    return flow


flow = build()
