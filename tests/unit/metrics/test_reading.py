"""Values that are read when somebody asks: what fails takes nothing else along."""

import logging

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from streams.metrics.reading import Reading, alone


def test_values_are_read_at_each_scrape() -> None:
    registry = CollectorRegistry()
    gauge = Reading("g", "help", ["part"], registry=registry)
    counter = Reading("c", "help", registry=registry, counter=True)
    held = {"1": 5.0}
    gauge.read = lambda: {(part,): value for part, value in held.items()}
    counter.read = alone(lambda: len(held))
    assert registry.get_sample_value("g", {"part": "1"}) == 5
    held["2"] = 7
    assert registry.get_sample_value("g", {"part": "2"}) == 7
    assert registry.get_sample_value("c_total") == 2


def test_before_there_is_anything_to_read_there_is_no_sample() -> None:
    registry = CollectorRegistry()
    Reading("g", "help", registry=registry)
    assert b"# TYPE g gauge\n" in generate_latest(registry)
    assert registry.get_sample_value("g") is None


def test_one_that_fails_is_missing_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    registry = CollectorRegistry()
    broken = Reading("broken", "help", registry=registry)
    sound = Reading("sound", "help", registry=registry)
    sound.read = alone(lambda: 1.0)

    def fail() -> float:
        raise RuntimeError("dictionary changed size during iteration")

    broken.read = alone(fail)
    with caplog.at_level(logging.WARNING, "renown.metrics"):
        for _ in range(2):
            assert registry.get_sample_value("sound") == 1
            assert registry.get_sample_value("broken") is None
    assert [record.getMessage() for record in caplog.records] == [
        "broken cannot be read: RuntimeError: dictionary changed size during iteration"
    ]
