"""Throughput of the full job against peers that merely count, over the same topics in one run.

Who runs first has no advantage: the load lies in the broker's logs and in the page cache, raw
consumption is measured before and behind the others, and every one starts without state. Peers
count per target in windows of an hour (tumbling, and hopping by 5 minutes) and do nothing else;
Renown does its full job. Slow ones are stopped after a while: their rate counts.
"""

import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.broker import Broker, loaded_broker
from bench.common import DATA, header, read_result, say, write_result
from bench.engine import full_job
from bench.load import Load
from bench.measure import Counting, Measured, watch
from bench.peers.catalogue import HERE, PEERS, TUMBLING, Peer, environment_of
from config.errors import RenownError
from schemas.topics import INTERACTION_TOPICS

RENOWN: Final = "renown"
NAME: Final = "throughput"
NAMES: Final = (RENOWN, *(peer.name for peer in PEERS))


def run(
    load: Load, only: Sequence[str], longest: float, folder: Path, *, again: bool = False
) -> dict[str, Any]:
    """Measure everybody in ``only``; what ``folder`` holds of the same load is kept.

    A run that was interrupted goes on where it stopped; ``again`` begins anew.
    """
    result = None if again else read_result(NAME, folder)
    if not result or result.get("load") != load.name:
        result = {**header(NAME), "load": load.name, "runs": {}}
    runs: dict[str, Any] = result["runs"]
    with loaded_broker(load) as broker:
        for name, window, peer in _plan(only):
            key = f"{name} {window}".strip()
            if "failed" not in runs.get(key, {"failed": ""}):
                say(f"{key}: measured before")
                continue
            say(f"{key}: begins")
            broker.clean()
            try:
                figures = _one(broker, load, peer, window, longest)
            except RenownError as error:
                say(f"{key}: {error}")
                figures = {"failed": str(error)}
            if "failed" not in figures:
                say(f"{key}: {figures['events_per_second']:,} events/s, "
                    f"{figures['cpu_us_per_event']} us CPU an event")  # fmt: skip
            runs[key] = figures
            write_result(NAME, result, folder)
    result["ratios"] = ratios(runs)
    write_result(NAME, result, folder)
    return result


def ratios(runs: dict[str, Any]) -> dict[str, float]:
    """Renown's rate over that of each other run."""
    ours = runs.get(RENOWN, {}).get("events_per_second")
    if not ours:
        return {}
    return {
        key: round(ours / figures["events_per_second"], 2)
        for key, figures in runs.items()
        if key != RENOWN and figures.get("events_per_second")
    }


def _plan(only: Sequence[str]) -> list[tuple[str, str, Peer | None]]:
    """Name, window and peer of each run; the raw one also at the end."""
    plan: list[tuple[str, str, Peer | None]] = []
    for peer in PEERS:
        if peer.name in only:
            plan += [
                (peer.name, window if peer.windows[1:] else "", peer) for window in peer.windows
            ]
        if peer.name == "kafka-streams" and RENOWN in only:
            plan.append((RENOWN, "", None))  # near to those whom it is compared with
    if RENOWN in only and "kafka-streams" not in [peer.name for peer in PEERS]:
        plan.append((RENOWN, "", None))
    if raw := next((each for each in plan if each[0] == "raw"), None):
        plan.append(("raw", "again", raw[2]))
    return plan


def _one(
    broker: Broker, load: Load, peer: Peer | None, window: str, longest: float
) -> dict[str, Any]:
    with _folder() as folder:
        if peer is None:
            measured, job = full_job(broker.address, folder, load.events, longest)
            if not measured.events:
                raise RenownError("the score worker did nothing in the time that it had")
            return {**measured.figures(), **job.figures(measured.events)}
        return _count(broker, load, peer, window, longest, folder).figures()


def _count(
    broker: Broker, load: Load, peer: Peer, window: str, longest: float, folder: Path
) -> Measured:
    told = {
        "BENCH_KAFKA": broker.address,
        "BENCH_TOPICS": ",".join(topic.value for topic in INTERACTION_TOPICS),
        "BENCH_GROUP": f"bench-{uuid.uuid4().hex[:8]}",
        "BENCH_WINDOW": window or TUMBLING,
    }
    commands, environments = [], []
    for number in range(peer.processes):
        state = folder / f"state-{number}"
        state.mkdir()
        commands.append(peer.command(number))
        environments.append(environment_of(peer, number, {**told, "BENCH_STATE": str(state)}))
    log = DATA / f"{peer.name}.log"
    with Counting(commands, environments, HERE, log) as counting:
        name = f"{peer.name} {window}"
        measured = watch(name, counting.pids, counting.done, load.events, longest, counting.running)
    if not measured.events:
        last = log.read_text().strip()[-300:]
        raise RenownError(f"{peer.label} counted nothing: {last} ({log})")
    return measured


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for the state of one run."""
    (DATA / "runs").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=DATA / "runs", prefix=time.strftime("%H%M%S-")))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
