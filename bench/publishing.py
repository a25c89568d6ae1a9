"""How fast agents publish: a file that is replayed, and the made-up world as quick as it can."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from bench.broker import empty_broker
from bench.common import ROOT, header, say, write_result
from bench.load import Load, events_of
from config.errors import RenownError

NAME: Final = "publish"
_LONGEST: Final = 600.0


def run(events: int, accounts: int, folder: Path) -> dict[str, Any]:
    """Both agents, each with ``events`` events and a broker that holds nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "load.jsonl"
        with file.open("wb") as lines:
            for event in events_of(Load(events=events, accounts=accounts)):
                lines.write(event.value + b"\n")
        agents = {
            "replay": ["replay", str(file), "--json"],
            "generate": ["generate", "--events", str(events), "--speed", "max", "--json"],
        }
        runs = {name: _timed(name, command, Path(scratch)) for name, command in agents.items()}
    result = {**header(NAME), "runs": runs}
    write_result(NAME, result, folder)
    return result


def _timed(name: str, command: list[str], scratch: Path) -> dict[str, Any]:
    """One agent; what it used of the processor comes from ``wait4``."""
    with empty_broker() as broker, (scratch / f"{name}.json").open("w+") as out:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RENOWN_")}
        environment |= {
            "RENOWN_KAFKA": broker.address,
            "RENOWN_DATA_DIR": str(scratch / name),
            "PYTHONPATH": str(ROOT),
        }
        before = os.times()
        done = subprocess.run(
            [sys.executable, "-m", "renown", *command],
            env=environment,
            cwd=scratch,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
        after = os.times()
        if done.returncode:
            raise RenownError(f"{name} failed: {done.stderr.strip()[-300:]}")
        out.seek(0)
        report = json.loads(out.read().splitlines()[-1])
    processor = after.children_user + after.children_system
    processor -= before.children_user + before.children_system
    events = report.get("events") or report["read"]
    figures = {
        "events": events,
        "seconds": round(report["seconds"], 1),
        "events_per_second": round(events / report["seconds"]),
        "cpu_us_per_event": round(1e6 * processor / events, 1),
    }
    say(f"publish, {name}: {figures}")
    return figures
