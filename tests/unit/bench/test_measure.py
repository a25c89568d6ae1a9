"""Rates from samples, percentiles, and which update covers an event."""

import sys
from pathlib import Path

import numpy as np
import pytest

from bench.common import percentiles
from bench.latency import _covered, _quiet
from bench.load import Event
from bench.measure import Counting, Sample, rate_of, watch
from config.errors import RenownError


def event(target: bytes) -> Event:
    return Event(0, 0, b"twitter:a", b"{}", target)


def test_the_rate_counts_from_the_first_tenth() -> None:
    samples = [Sample(0.0, 0, 1.0), Sample(50.0, 100, 5.0), Sample(60.0, 1000, 14.0)]
    found = rate_of(samples, 1000, 1 << 20)
    assert found.events_per_second == 90.0
    assert found.cpu_us_per_event == 10_000
    assert (found.cores, found.peak_mb, found.complete) == (0.9, 1, True)


def test_nothing_done_is_no_rate() -> None:
    found = rate_of([Sample(0.0, 0, 1.0)], 1000, 0)
    assert (found.events, found.events_per_second, found.complete) == (0, 0.0, False)


def test_percentiles() -> None:
    found = percentiles([float(n) for n in range(1000)])
    assert found == {"p50": 500.0, "p99": 990.0, "p999": 999.0, "max": 999.0}
    with pytest.raises(RenownError):
        percentiles([])


def test_an_event_is_covered_by_the_first_update_that_counts_it() -> None:
    events = [event(b"x"), event(b"y"), event(b"x"), event(b"x")]
    updates = [(1.0, "x", 1), (2.0, "y", 1), (3.0, "x", 1), (4.0, "x", 2)]
    assert _covered(events, updates).tolist() == [1.0, 2.0, 4.0, float("inf")]


def test_an_account_is_quiet_after_a_second_without_events() -> None:
    events = [event(b"x"), event(b"x"), event(b"y"), event(b"x")]
    due = np.array([10.0, 10.5, 10.6, 12.0])
    assert _quiet(events, due).tolist() == [True, False, True, True]


def test_progress_of_child_processes_is_added(tmp_path: Path) -> None:
    program = "import time; print('PROGRESS 5', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", program]
    with Counting([command, command], [{}, {}], tmp_path, tmp_path / "log") as counting:
        found = watch("two", counting.pids, counting.done, 10, 30, counting.running)
    assert found.events == 10
    assert not counting.running()
