"""What the sink stores counts once, when all of a flush is acknowledged."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from config.settings import ClickHouseAddress
from schemas.topics import Topic
from streams.metrics.sink import SinkMetrics
from streams.sink import Sink
from streams.sinks.client import Database
from streams.sinks.errors import Unavailable
from streams.sinks.tables import SCORES
from streams.sinks.writer import Writer
from tests.support.sink import add, records, scored
from tests.support.weighed import HOUR, Row, frame, numbered

ADDRESS = ClickHouseAddress.parse("clickhouse://127.0.0.1:9/none")
HOUR_NUMBER = 470_000


class EmptyDatabase:
    """Holds nothing and takes everything, except into the tables in ``refuses``."""

    def __init__(self) -> None:
        self.refuses: set[str] = set()

    def query(self, sql: str, _values: Mapping[str, Any] | None = None) -> list[tuple[int]]:
        return [(0,)] if "count()" in sql else []

    def insert(self, table: str, columns: Mapping[str, Any]) -> int:
        if table in self.refuses:
            raise Unavailable("away")
        return len(next(iter(columns.values())))

    insert_lists = insert


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def database() -> EmptyDatabase:
    return EmptyDatabase()


@pytest.fixture
def writer(registry: CollectorRegistry, database: EmptyDatabase) -> Writer:
    metrics = SinkMetrics(registry, now=lambda: (HOUR_NUMBER * HOUR + 1017) / 1000)
    made = Writer(ADDRESS, 1, metrics=metrics)
    made._db = cast("Database", database)
    for topic in (Topic.WEIGHED, Topic.SCORES):
        made.claim(topic, 0)
    return made


def moved(registry: CollectorRegistry) -> dict[str, float]:
    return {
        " ".join((sample.name.removeprefix("renown_"), *sample.labels.values())): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith(("_total", "_count")) and sample.value
        if "seconds_total" not in sample.name
    }


def fill(writer: Writer) -> None:
    rows = numbered([Row(hour=HOUR_NUMBER), Row(hour=HOUR_NUMBER, actor="bob").undone])
    beyond = frame([Row(source=3, offset=5)])
    good = frame(rows)
    add(writer, Topic.WEIGHED, 0, records([good, b"noise", beyond, good]))
    add(writer, Topic.SCORES, 0, records([*scored([good]), b"{}", b"{}"]))


def test_a_flush(registry: CollectorRegistry, writer: Writer) -> None:
    fill(writer)
    assert moved(registry) == {"holes_total sink": 1}, "nothing is stored yet"
    writer.flush()
    assert moved(registry) == {
        "holes_total sink": 1,
        "events_total sink weighed stored": 2,
        "events_total sink weighed unreadable": 1,
        "events_total sink scores stored": 1,
        "events_total sink scores unreadable": 2,
        "dead_letters_total unreadable weighed": 1,
        "dead_letters_total unreadable scores": 2,
        "sink_rows_total interactions_rows": 2,
        "sink_rows_total scores": 1,
        "sink_rows_total dead_letters": 3,
        "sink_insert_seconds_count interactions_rows": 1,
        "sink_insert_seconds_count scores": 1,
        "sink_insert_seconds_count dead_letters": 1,
        "event_latency_seconds_count sink event": 2,
        "event_latency_seconds_count sink received": 2,
        "batch_events_count sink": 1,
    }
    labels = {"stage": "sink", "since": "event"}
    total = registry.get_sample_value("renown_event_latency_seconds_sum", labels)
    assert total == pytest.approx((1.017 - 0.017) + (1.017 - 0.099))


def test_what_has_to_be_stored_again_counts_once(
    registry: CollectorRegistry, writer: Writer, database: EmptyDatabase
) -> None:
    fill(writer)
    database.refuses = {SCORES}
    with pytest.raises(Unavailable):
        writer.flush()
    tried = {"holes_total sink", "sink_insert_seconds_count interactions_rows"}
    assert moved(registry).keys() == {*tried, "sink_insert_seconds_count scores"}
    database.refuses = set()
    writer.flush()
    writer.flush()
    assert registry.get_sample_value("renown_sink_rows_total", {"table": "scores"}) == 1
    labels = {"table": "interactions_rows"}
    assert registry.get_sample_value("renown_sink_rows_total", labels) == 2
    assert registry.get_sample_value("renown_sink_insert_seconds_count", labels) == 2


def test_what_the_sink_tells_of_its_buffer() -> None:
    first, other = TP("scores", 0), TP("scores", 1)
    inputs = SimpleNamespace(durable={first: 3})
    ends = {"scores": 10}
    app = SimpleNamespace(
        inputs=inputs, behind=lambda topic, _partition, stored: ends.get(topic, 0) - stored
    )
    sink = Sink(cast("Any", app), cast("Any", SimpleNamespace(pending=0)))
    assert sink.unready() == "no partitions are assigned"
    assert (sink.age(), sink.lag()) == (0.0, {})
    sink._assigned = 2
    sink._claimed[first] = 8
    assert sink.unready() == "1 of 2 partitions are not claimed yet"
    sink._claimed[other] = 0
    assert sink.unready() == ""
    assert sink.lag() == {("sink", "scores", "0"): 7, ("sink", "scores", "1"): 10}
    sink._unwritten_since = 1e-9
    assert sink.age() > 0
