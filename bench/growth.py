"""Growth: from ten thousand to ten million accounts.

``core``: one partition's state by itself, in a process of its own for each size: rows a second,
bytes an account, snapshots, restore. ``process``: a score worker that holds many accounts is killed
(SIGKILL) and started again: how long until it works, of which how much is reading, building and
fencing.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.broker import loaded_broker
from bench.common import ROOT, header, read_result, say, write_result
from bench.engine import LOOK_SECONDS, FullJob, Worker, compile_kernels, total
from bench.load import Load
from bench.measure import watch
from config.errors import RenownError

NAME: Final = "growth"
MANY: Final = 1_000_000
"""Accounts above which each has fewer engagers, so that the run ends."""

_ENGAGERS, _ENGAGERS_OF_MANY = 20, 3
_SESSION_SECONDS: Final = 8.0
_CHECKPOINT_SECONDS: Final = 90.0


def run(
    sizes: Sequence[int], process_accounts: int, process_events: int, folder: Path
) -> dict[str, Any]:
    """Each size by itself, then the whole process; ``process_accounts`` 0: without it."""
    result = read_result(NAME, folder) or {}
    result = {**header(NAME), "core": result.get("core", {}), "process": result.get("process", {})}
    for size in sizes:
        say(f"growth: {size:,} accounts")
        result["core"][str(size)] = _core(size)
        say(f"growth: {result['core'][str(size)]}")
        write_result(NAME, result, folder)
    if process_accounts:
        say(f"growth: a worker with {process_accounts:,} accounts")
        result["process"] = _process(process_accounts, process_events)
        say(f"growth: {result['process']}")
        write_result(NAME, result, folder)
    return result


def _core(accounts: int) -> dict[str, Any]:
    engagers = _ENGAGERS if accounts <= MANY else _ENGAGERS_OF_MANY
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bench.growth_core"),
            *("--accounts", str(accounts), "--engagers", str(engagers)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RenownError(f"growing to {accounts:,} accounts failed: see above")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _process(accounts: int, events: int) -> dict[str, Any]:
    load = Load(events=events, accounts=accounts, skew=0.0, hot=0.0)
    compile_kernels()
    with loaded_broker(load) as broker, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        settings = {"session_seconds": _SESSION_SECONDS}
        with Worker("score", broker.address, folder, **settings) as worker:
            job = FullJob(worker)
            measured = watch(
                "renown",
                lambda: [worker.pid],
                job.done,
                events,
                600.0,
                worker.running,
                LOOK_SECONDS,
            )
            _wait_for_checkpoints(worker)
            job.done()
            before = job.figures(measured.events)
            worker.kill()
        killed = time.monotonic()
        with Worker("score", broker.address, folder, **settings) as worker:
            worker.wait_ready()
            seconds = time.monotonic() - killed
            again = worker.samples()
        recovery = {
            stage: round(total(again, "renown_recovery_seconds", stage=stage), 2)
            for stage in ("weigh", "score")
        }
        return {
            **measured.figures(),
            **before,
            "accounts_again": int(total(again, "renown_accounts")),
            "ready_again_seconds": round(seconds, 1),
            "beyond_session_seconds": round(seconds - _SESSION_SECONDS, 1),
            "recovery_seconds": recovery,
        }


def _wait_for_checkpoints(worker: Worker) -> None:
    """Until the worker's checkpoints hold everything."""
    deadline = time.monotonic() + _CHECKPOINT_SECONDS
    while total(worker.samples(), "renown_checkpoint_age_seconds"):
        if time.monotonic() > deadline:
            raise RenownError("the worker's checkpoints do not come through")
        time.sleep(LOOK_SECONDS)
