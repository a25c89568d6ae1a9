"""A histogram fed with arrays says what one fed with single values does."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from streams.metrics.histogram import BatchHistogram

BOUNDS = (0.01, 0.1, 1, 5)


def samples(registry: CollectorRegistry) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


@given(st.lists(st.integers(0, 9_000), max_size=50))
def test_it_agrees_with_the_library_s_own(values: list[int]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    batch = BatchHistogram("h", "help", ["a"], buckets=BOUNDS, registry=ours, scale=1000)
    single = Histogram("h", "help", ["a"], buckets=BOUNDS, registry=theirs)
    batch.labels("x").observe_many(np.array(values, np.int64))
    single.labels("x")
    for value in values:
        single.labels("x").observe(value / 1000)
    found, expected = samples(ours), samples(theirs)
    assert found.keys() == expected.keys()
    for key, number in expected.items():
        assert found[key] == pytest.approx(number), key


def test_a_value_on_a_bound_lies_below_it() -> None:
    registry = CollectorRegistry()
    histogram = BatchHistogram("h", "help", buckets=(1, 2), registry=registry)
    histogram.labels().observe_many(np.array([1.0, 2.0, 2.5]))
    histogram.labels().observe(2)
    found = samples(registry)
    assert found["h_bucket", ("1.0",)] == 1
    assert found["h_bucket", ("2.0",)] == 3
    assert found["h_bucket", ("+Inf",)] == found["h_count", ()] == 4
    assert found["h_sum", ()] == 7.5


def test_nothing_is_lost_between_threads_and_a_scrape() -> None:
    registry = CollectorRegistry()
    histogram = BatchHistogram("h", "help", ["a"], buckets=BOUNDS, registry=registry)
    values = np.arange(100) / 100

    def observe() -> None:
        for _ in range(200):
            histogram.labels("x").observe_many(values)

    threads = [threading.Thread(target=observe) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        found = samples(registry)
        if found:
            assert found["h_bucket", ("x", "+Inf")] == found["h_count", ("x",)]
    assert samples(registry)["h_count", ("x",)] == 3 * 200 * 100


def test_wrong_labels_are_a_mistake() -> None:
    histogram = BatchHistogram("h", "help", ["a"], buckets=BOUNDS, registry=CollectorRegistry())
    with pytest.raises(ValueError, match="h has the labels"):
        histogram.labels("x", "y")
