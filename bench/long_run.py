"""A long run as operators see it: `renown up --generate`, watched by a real Prometheus.

    python bench/long_run.py --rate 2000 --minutes 10 > bench/results/long_run.json

Prometheus and its rules are those of ``deploy/``. At the end: memory, lag, canary and latency over
the time, which alerts fired, and which queries of the dashboards gave nothing. ``--pictures`` draws
the pictures of the README from this run. Progress goes to standard error.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.memory import slope
from config.settings import ClickHouseAddress
from renown.audit import audit
from renown.folders import STACK_FILE, TARGETS_FILE
from streams.sinks.client import Database
from streams.sinks.lineage import newest_log
from tests.support import dashboards
from tests.support.prometheus import Prometheus
from tests.support.stack import wait_until

ROOT: Final = Path(__file__).parents[1]
PANELS: Final = ("Events by stage", "Outcomes of weighing", "Since received", "Canaries")
"""Of the pipeline's dashboard, for the README."""
_LATENCY: Final = (
    "histogram_quantile(0.99, sum by (stage, le) "
    '(rate(renown_event_latency_seconds_bucket{since="received"}[1m])))'
)
_STEP_SECONDS: Final = 5.0
_SAY_SECONDS: Final = 30.0


def say(text: str) -> None:
    """Progress."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


@contextmanager
def running(folder: Path, rate: float) -> Iterator[None]:
    """`renown up --generate` as a person starts it."""
    command = [
        *(sys.executable, "-m", "renown", "up", "--generate", "--rate", f"{rate:g}"),
        *("--kafka-port", "0", "--clickhouse-port", "0"),
    ]
    environment = {**os.environ, "RENOWN_DATA_DIR": str(folder)}
    with (folder / "up.log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield
        finally:
            child.terminate()
            child.wait(90)


def over_time(prometheus: Prometheus, promql: str, minutes: float) -> dict[str, list[float]]:
    """Labels → values in steps of 5 s over the run."""
    end = time.time()
    values = {"query": promql, "start": end - 60 * minutes, "end": end, "step": _STEP_SECONDS}
    url = f"{prometheus.url}/api/v1/query_range?{urllib.parse.urlencode(values)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        result = json.load(answer)["data"]["result"]
    return {
        " ".join(v for k, v in sorted(each["metric"].items()) if k != "__name__"): [
            float(value) for _, value in each["values"]
        ]
        for each in result
    }


def spread_of(values: list[float]) -> dict[str, float]:
    """Median, 99th percentile and largest."""
    ordered = sorted(values)
    if not ordered:
        return {}
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {
        "median": round(median(ordered), 3),
        "p99": round(high, 3),
        "max": round(ordered[-1], 3),
    }


def measured(prometheus: Prometheus, db: Database, minutes: float) -> dict[str, Any]:
    """Everything that the run showed."""
    memory = over_time(prometheus, "sum by (part) (renown_process_resident_bytes)", minutes)
    lag = over_time(prometheus, "sum by (stage) (renown_consumer_lag)", minutes)
    canary = over_time(prometheus, "max(renown_canary_last_seconds)", minutes)
    account = db.query("SELECT profile FROM leaderboard LIMIT 1")[0][0]
    asked = dashboards.queries({"account": account})
    empty = [
        f"{query.dashboard}, {query.panel}"
        for query in asked
        if not (prometheus if query.kind == dashboards.PROMQL else db).query(query.text)
    ]
    found = audit(db, log=newest_log(db))
    return {
        "rows": db.query("SELECT count() FROM interactions_rows")[0][0],
        "memory_mb": {
            name: {
                "last": round(values[-1] / 2**20),
                "largest": round(max(values) / 2**20),
                "mb_per_minute": round(
                    slope([_STEP_SECONDS * n for n in range(len(values))], values) / 2**20, 2
                ),
                "each_minute": [round(v / 2**20) for v in values[::12]],
            }
            for name, values in memory.items()
        },
        "lag_records": {stage: spread_of(values) for stage, values in lag.items()},
        "canary_seconds": spread_of(next(iter(canary.values()), [])),
        "latency_p99_seconds": {
            stage: spread_of([v for v in values if not math.isnan(v)])
            for stage, values in over_time(prometheus, _LATENCY, minutes).items()
        },
        "alerts_fired": sorted(prometheus.fired()),
        "dashboard_queries": {"asked": len(asked), "empty": empty},
        "audit": {"checked": found.checked, "different": found.different},
    }


def draw(prometheus: Prometheus, folder: Path, minutes: float) -> None:
    """The pictures of the README."""
    pictures = ROOT / "deploy" / "pictures"
    environment = {**os.environ, "RENOWN_DATA_DIR": str(folder), "COLUMNS": "132", "LINES": "40"}
    subprocess.run(
        [sys.executable, "-m", "renown", "top", "--once", "--svg", str(pictures / "top.svg")],
        env=environment, cwd=ROOT, check=True,
    )  # fmt: skip
    clickhouse = json.loads((folder / STACK_FILE).read_text())["clickhouse"]
    command = [
        *(sys.executable, str(pictures / "draw.py"), "--prometheus", prometheus.url),
        *("--clickhouse", clickhouse, "--minutes", f"{minutes:g}"),
    ]
    board = ["--dashboard", str(dashboards.DASHBOARDS / "pipeline.json")]
    only = [part for title in PANELS for part in ("--only", title)]
    out = ["--out", str(pictures / "pipeline.png")]
    subprocess.run([*command, *board, *only, *out], cwd=ROOT, check=True, stdout=sys.stderr)


def main() -> None:
    """Run, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=2000.0)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--pictures", action="store_true", help="draw the README's pictures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="renown-long-run-") as temporary:
        folder = Path(temporary)
        with running(folder, options.rate):
            wait_until((folder / STACK_FILE).exists, 120, "renown up stands")
            url = json.loads((folder / STACK_FILE).read_text())["clickhouse"]
            with (
                Prometheus(folder / TARGETS_FILE, scrape_seconds=5.0) as prometheus,
                Database(ClickHouseAddress.parse(url)) as db,
            ):
                ends = time.monotonic() + 60 * options.minutes
                while (left := ends - time.monotonic()) > 0:
                    say(f"{left:.0f} s to go, {(folder / 'up.log').read_text().splitlines()[-1]}")
                    time.sleep(min(left, _SAY_SECONDS))
                result = {
                    "benchmark": "renown up --generate, watched by Prometheus",
                    "date": datetime.now(UTC).strftime("%Y-%m-%d"),
                    "machine": f"{os.cpu_count()} cores, {platform.machine()}",
                    "python": platform.python_version(),
                    "rate": options.rate,
                    "minutes": options.minutes,
                    **measured(prometheus, db, options.minutes),
                    "said": (folder / "up.log").read_text().splitlines(),
                }
                if options.pictures:
                    draw(prometheus, folder, options.minutes)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
