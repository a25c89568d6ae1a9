"""What every benchmark shares: where its files lie, what it says, how a result is written."""

import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from config.errors import RenownError

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "bench" / "results"
DATA: Final = Path(os.environ.get("RENOWN_BENCH_DIR") or ROOT / ".data" / "bench")
"""What is kept from run to run: the load in the broker's logs, environments of the peers."""

PARTITIONS: Final = 4
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def say(text: str) -> None:
    """Progress, for a person."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def header(name: str) -> dict[str, Any]:
    """What stands at the head of every result."""
    return {
        "benchmark": name,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores, {_memory_gb()} GB, {platform.machine()}",
        "python": platform.python_version(),
    }


def write_result(name: str, result: dict[str, Any], folder: Path = RESULTS) -> None:
    """Keep a result as ``folder/name.json``, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f".{name}.json"
    scratch.write_text(json.dumps(result, indent=1) + "\n")
    scratch.rename(folder / f"{name}.json")


def read_result(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """A result that was kept; None if there is none."""
    try:
        found: dict[str, Any] = json.loads((folder / f"{name}.json").read_bytes())
    except OSError:
        return None
    return found


def processor_seconds(pids: Iterable[int]) -> float:
    """Processor time that processes and their ended children have used, in seconds.

    A process that is gone counts as 0: ask while it runs. Linux only.
    """
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / _TICKS


def largest_resident(pids: Iterable[int]) -> int:
    """The sum of the largest resident sizes that processes have had so far, in bytes."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
    return total


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """Median, 99th and 99.9th percentile, largest, rounded to milliseconds."""
    ordered = sorted(values)
    if not ordered:
        raise RenownError("nothing was measured: no value to take percentiles of")
    last = len(ordered) - 1
    shares = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {
        name: round(ordered[min(last, int(share * len(ordered)))], 3)
        for name, share in shares.items()
    }


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
