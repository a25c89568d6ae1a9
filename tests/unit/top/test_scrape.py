"""What is made of the answers of metrics ports, and of those that do not answer."""

import json
import socket
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from config.settings import load_settings
from config.telemetry import Telemetry
from renown.top.scrape import Target, reading_of, scrape, scrape_all, targets_of
from tests.support.stack import free_port

TEXT = """\
# TYPE renown_events_total counter
renown_events_total{stage="weigh",topic="interactions.like",outcome="accepted"} 10.0
renown_events_total{stage="weigh",topic="interactions.like",outcome="late"} 2.0
renown_events_total{stage="score",topic="weighed",outcome="applied"} 9.0
renown_events_total{stage="score",topic="weighed",outcome="old"} 5.0
# TYPE renown_sink_rows_total counter
renown_sink_rows_total{table="interactions_rows"} 8.0
renown_sink_rows_total{table="scores"} 100.0
# TYPE renown_dead_letters_total counter
renown_dead_letters_total{reason="bad json"} 1.0
renown_dead_letters_total{reason="empty"} 1.0
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.5
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 1.048576e+06
"""


def test_a_reading_sums_what_belongs_together() -> None:
    found = reading_of(Target("score-1", "renown-score", "x:1"), TEXT, "ready")
    assert found.counters["weighed"] == 12
    assert found.counters["scored"] == 9
    assert found.counters["stored"] == 8
    assert found.counters["dead"] == 2
    assert found.counters["late"] == 0
    assert (found.cpu, found.memory, found.canary) == (1.5, 1_048_576, None)


def test_a_process_is_asked_and_tells_what_it_waits_for() -> None:
    registry = CollectorRegistry()
    Counter("renown_duplicates", "x", registry=registry).inc(3)
    Gauge("renown_canary_last_seconds", "x", registry=registry).set(0.75)
    settings = load_settings(_env_file=None, metrics_port=free_port())
    ready = {"broker": lambda: "", "recovery": lambda: "10% done"}
    with Telemetry(settings, registry, ready=ready) as telemetry:
        found = scrape(Target("monitor", "renown-monitor", f"127.0.0.1:{telemetry.port}"))
    assert (found.answers, found.state) == (True, "recovery: 10% done")
    assert found.counters["duplicates"] == 3
    assert found.canary == 0.75


def test_one_that_does_not_answer_holds_nobody_up() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        found = scrape_all([Target("a", "j", f"127.0.0.1:{port}"), Target("b", "j", "nonsense")])
    assert [(one.name, one.answers) for one in found] == [("a", False), ("b", False)]
    assert "refused" in found[0].state
    assert scrape_all([]) == ()


def test_targets_are_read_from_the_list_of_the_stack(tmp_path: Path) -> None:
    entry = {"targets": ["127.0.0.1:1"], "labels": {"job": "renown-sink", "process": "sink"}}
    (tmp_path / "targets.json").write_text(json.dumps([entry]))
    assert targets_of(tmp_path) == [Target("sink", "renown-sink", "127.0.0.1:1")]


@pytest.mark.parametrize("content", [None, "", "{", "[1]", '[{"targets": ["a:1"]}]', "{}"])
def test_no_good_list_is_no_targets(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "targets.json").write_text(content)
    assert targets_of(tmp_path) == []
