"""Memory of the embedded stack under load: does it stay flat, and what grows if it does not?

    python bench/memory.py --rate 2000 --minutes 10 > bench/results/memory.json

Starts broker, ClickHouse, workers and the generator in a folder of its own. Every five seconds it
takes the resident memory and the processor time of each process, how far the sink is behind, and
how old the newest stored row is. Progress goes to standard error. Linux only: it reads ``/proc``.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.topic_bytes import held
from config.settings import ClickHouseAddress, load_settings
from renown.lag import GroupOffsets
from renown.run.stack import Stack
from renown.run.supervision import resident_bytes
from streams.groups import SINK_GROUP
from streams.sinks.client import Database, connect

_SAMPLE_SECONDS = 5.0
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_NEWEST = "SELECT count(), toUnixTimestamp64Milli(max(received_at)) FROM interactions_rows"


def processor_seconds(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def slope(times: list[float], values: list[float]) -> float:
    """Growth a minute, by least squares over the second half of the time: behind the warm-up."""
    since = times[-1] / 2
    points = [(t, v) for t, v in zip(times, values, strict=True) if t >= since]
    mean_t = sum(t for t, _ in points) / len(points)
    mean_v = sum(v for _, v in points) / len(points)
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    moved = sum((t - mean_t) * (v - mean_v) for t, v in points)
    return 60 * moved / spread if spread else 0.0


class Run:
    """A stack under load, and what was seen of it."""

    def __init__(self, stack: Stack, rate: str, minutes: float) -> None:
        self._stack = stack
        self._rate = rate
        self._minutes = minutes
        self._times: list[float] = []
        self._memory: dict[str, list[float]] = {}
        self._ages: list[float] = []
        self._lags: list[int] = []
        self._rows = 0

    def run(self) -> dict[str, Any]:
        """Load the stack and watch it; the figures."""
        stack = self._stack
        stack.start_agent("generate", ["generate", "--rate", self._rate])
        url = stack.settings.clickhouse.get_secret_value()
        began = time.monotonic()
        with (
            connect(ClickHouseAddress.parse(url)) as database,
            GroupOffsets(stack.settings) as offsets,
        ):
            while (now := time.monotonic() - began) < 60 * self._minutes:
                time.sleep(_SAMPLE_SECONDS)
                stack.watch()
                self._look(now + _SAMPLE_SECONDS, database, offsets)
        used = {name: processor_seconds(pid) for name, pid in self._pids()}
        seconds = time.monotonic() - began
        stack.stop_worker("generate")
        return self._figures(seconds, used)

    def _pids(self) -> Iterable[tuple[str, int]]:
        stack = self._stack
        children = {"broker": stack._broker, "clickhouse": stack.database, **stack.workers}
        for name, child in children.items():
            if child is not None and child.pid:
                yield name, child.pid

    def _look(self, now: float, database: Database, offsets: GroupOffsets) -> None:
        self._times.append(now)
        for name, pid in self._pids():
            self._memory.setdefault(name, []).append(round((resident_bytes(pid) or 0) / 2**20, 1))
        self._rows, newest = database.query(_NEWEST)[0]
        self._ages.append(round(time.time() - newest / 1000, 2) if self._rows else -1.0)
        lags = offsets.lag().items()
        self._lags.append(sum(records for (group, _), records in lags if group == SINK_GROUP))
        shown = " ".join(f"{name} {values[-1]:.0f}" for name, values in self._memory.items())
        say(
            f"{now:6.0f} s  {shown} MB  rows {self._rows}  newest {self._ages[-1]} s  "
            f"sink behind {self._lags[-1]}"
        )

    def _figures(self, seconds: float, used: dict[str, float]) -> dict[str, Any]:
        minutes = seconds / 60
        ages = self._ages[len(self._ages) // 2 :]
        return {
            "rows": self._rows,
            "rows_per_second": round(self._rows / seconds, 1),
            "newest_row_age_seconds": {"median": median(ages), "largest": max(ages)},
            "sink_behind_records": {"median": median(self._lags), "largest": max(self._lags)},
            "processes": {
                name: {
                    "last_mb": values[-1],
                    "largest_mb": max(values),
                    "mb_per_minute": round(slope(self._times[-len(values) :], values), 2),
                    "cores": round(used.get(name, 0.0) / seconds, 3),
                    "mb": values,
                }
                for name, values in self._memory.items()
            },
            "sampled_seconds": [round(t) for t in self._times],
            "topics": {
                name: {**sums, "mb_per_minute": round(sums["bytes"] / 1e6 / minutes, 3)}
                for name, sums in held(self._stack.settings.kafka).items()
                if sums["records"]
            },
        }


def say(text: str) -> None:
    """Tell a person, not the reader of the JSON."""
    sys.stderr.write(f"{text}\n")


def main() -> None:
    """Run once and print one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", default="2000", help="events a second")
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="renown-memory-") as folder,
        Stack(
            load_settings(kafka="", clickhouse=""),
            Path(folder),
            say=say,
        ) as stack,
    ):
        figures = Run(stack, options.rate, options.minutes).run()
    result = {
        "benchmark": "memory of the embedded stack",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "python": platform.python_version(),
        "rate": options.rate,
        "minutes": options.minutes,
        **figures,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
