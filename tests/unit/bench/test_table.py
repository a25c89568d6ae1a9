"""The table says what the results say."""

from pathlib import Path

from bench.common import header, read_result, write_result
from bench.table import write
from bench.throughput import ratios


def run(rate: int) -> dict[str, object]:
    return {"events_per_second": rate, "cpu_us_per_event": 2.5, "cores": 1.0, "peak_mb": 300}


def test_a_table_and_a_plot(tmp_path: Path) -> None:
    runs = {"raw": run(400_000), "kafka-streams tumbling": run(100_000), "renown": run(300_000)}
    runs["quix tumbling"] = {"failed": "no"}
    result = {**header("throughput"), "runs": runs, "ratios": ratios(runs)}
    write_result("throughput", result, tmp_path)
    assert read_result("throughput", tmp_path) == result
    text = write(tmp_path).read_text()
    assert "| Kafka Streams, tumbling | 100,000 | 3 times | 2.5 |" in text
    assert "| Quix Streams, tumbling | failed |" in text
    assert (tmp_path / "throughput.png").stat().st_size > 1000


def test_ratios_need_our_own_rate() -> None:
    assert ratios({"raw": run(5)}) == {}
    assert ratios({"raw": run(5), "renown": run(10)}) == {"raw": 2.0}
