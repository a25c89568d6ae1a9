"""All benchmarks one after the other, about 30 minutes; one that is done is not run again.

What is done is read from the results: a run that was interrupted goes on with what is missing, and
``again`` forgets all of it. Latency is measured at shares of what the worker did before.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench import growth, latency, publishing, sink, skew, stages, throughput
from bench.common import read_result, say
from bench.load import Load
from bench.table import write
from config.errors import RenownError

SHARES: Final = (0.1, 0.5, 0.8)
"""Of the largest rate of the full job, at which latency is measured."""

FIXED: Final = (1_000, 100_000)
"""Rates at which there are promises."""

_EVENTS, _ACCOUNTS, _LONGEST = 4_000_000, 300_000, 40.0
_SECONDS: Final = 15.0
_SIZES: Final = (10**4, 10**5, 10**6, 10**7)


def run(folder: Path, *, again: bool = False) -> dict[str, Any]:
    """Run what is missing in ``folder``; what failed is told at the end and raised."""
    names = ("throughput", "stages", "latency", "growth", "skew", "sink", "publish")
    if again:
        for name in names:
            (folder / f"{name}.json").unlink(missing_ok=True)
    steps: dict[str, Callable[[], Any]] = {
        "throughput": lambda: throughput.run(
            Load(events=_EVENTS, accounts=_ACCOUNTS), throughput.NAMES, _LONGEST, folder
        ),
        "stages": lambda: stages.run(2_000_000, _ACCOUNTS, 8_000, folder),
        "latency": lambda: latency.run(_rates(folder), _SECONDS, folder, sink=True),
        "growth": lambda: growth.run(_SIZES, 10**6, _EVENTS, folder),
        "skew": lambda: skew.run(1_500_000, _ACCOUNTS, skew.SHARES, 120.0, folder),
        "sink": lambda: sink.run(1_000_000, _ACCOUNTS, 120.0, folder),
        "publish": lambda: publishing.run(300_000, _ACCOUNTS, folder),
    }
    failed = []
    for name, step in steps.items():
        if _done(name, folder):
            say(f"{name}: measured before")
            continue
        say(f"{name}: begins")
        try:
            step()
        except RenownError as error:
            say(f"{name}: {error}")
            failed.append(name)
        write(folder)
    if failed:
        raise RenownError(f"not measured: {', '.join(failed)}; run it again for these")
    return {name: read_result(name, folder) for name in names}


def _done(name: str, folder: Path) -> bool:
    """Whether a result is complete."""
    result = read_result(name, folder)
    if result is None:
        return False
    if name == "throughput":
        failed = any("failed" in figures for figures in result["runs"].values())
        return "ratios" in result and not failed
    if name == "latency":
        return all(str(rate) in result["runs"] for rate in _rates(folder))
    if name == "growth":
        return all(str(size) in result["core"] for size in _SIZES) and bool(result["process"])
    return True


def _rates(folder: Path) -> list[int]:
    """The rates that have promises, and shares of the largest."""
    found = read_result("throughput", folder) or {}
    largest = found.get("runs", {}).get(throughput.RENOWN, {}).get("events_per_second")
    shares = [1_000 * round(share * largest / 1_000) for share in SHARES] if largest else []
    return sorted({*FIXED, *shares})
