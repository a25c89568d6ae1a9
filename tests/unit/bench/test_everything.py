"""What the run of all benchmarks measures, and when it is done."""

from pathlib import Path

from bench.common import write_result
from bench.everything import _rates


def test_latency_is_measured_at_promises_and_at_shares_of_the_largest_rate(tmp_path: Path) -> None:
    assert _rates(tmp_path) == [1_000, 100_000]
    write_result("throughput", {"runs": {"renown": {"events_per_second": 431_799}}}, tmp_path)
    rates = _rates(tmp_path)
    assert rates == [1_000, 43_000, 100_000, 216_000, 345_000]
    assert all(isinstance(rate, int) for rate in rates), "they are names in the results"
