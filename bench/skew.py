"""Skew: what it costs when many events have the same target."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.broker import loaded_broker
from bench.common import DATA, header, say, write_result
from bench.engine import full_job
from bench.load import Load

NAME: Final = "skew"
SHARES: Final = (0.03, 0.2, 0.6)


def run(
    events: int, accounts: int, shares: Sequence[float], longest: float, folder: Path
) -> dict[str, Any]:
    """The full job over loads that differ in the share of one target."""
    runs: dict[str, Any] = {}
    for share in shares:
        load = Load(events=events, accounts=accounts, hot=share)
        with loaded_broker(load) as broker, tempfile.TemporaryDirectory() as scratch:
            measured, job = full_job(broker.address, Path(scratch), events, longest)
        runs[f"{share:g}"] = {**measured.figures(), **job.figures(measured.events)}
        say(f"skew {share:g}: {measured.events_per_second:,.0f} events/s")
        shutil.rmtree(DATA / load.name, ignore_errors=True)  # each is some hundred MB
    first = runs[f"{shares[0]:g}"]["events_per_second"]
    result = {
        **header(NAME),
        "events": events,
        "runs": runs,
        "cost": {
            share: round(1 - figures["events_per_second"] / first, 3) if first else None
            for share, figures in runs.items()
        },
    }
    write_result(NAME, result, folder)
    return result
