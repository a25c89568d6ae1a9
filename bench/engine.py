"""Renown itself under measurement: its workers as processes, asked by their own metrics."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self

from prometheus_client.parser import text_string_to_metric_families

from bench.common import ROOT, processor_seconds, say
from bench.measure import Measured, watch
from config.errors import Unreachable
from renown.embedded.process import free_port

LOOK_SECONDS: Final = 0.2
"""From one look at a worker's metrics to the next: each costs it some ms."""

_READY_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 30.0
_ASK_SECONDS: Final = 10.0

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Worker:
    """A ``renown worker`` with its metrics; ends with the block. ``settings``: RENOWN_… names."""

    def __init__(self, job: str, kafka: str, folder: Path, **settings: object) -> None:
        self.job = job
        self.log = folder / f"{job}.log"
        self._port = free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RENOWN_")}
        given = {
            "kafka": kafka,
            "metrics_port": self._port,
            "data_dir": folder / job,
            **settings,
        }
        environment |= {f"RENOWN_{name.upper()}": str(value) for name, value in given.items()}
        environment["PYTHONPATH"] = str(ROOT)
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "renown", "worker", job],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        self.pid = self._process.pid

    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def wait_ready(self) -> Self:
        """Wait until it can do its work; raises ``Unreachable``."""
        deadline = time.monotonic() + _READY_SECONDS
        while not self._ready():
            if not self.running() or time.monotonic() > deadline:
                last = self.log.read_text().strip()[-300:]
                raise Unreachable(f"the {self.job} worker does not get ready: {last}")
            time.sleep(0.1)
        return self

    def samples(self) -> Samples:
        """(name, labels) → value of every metric; empty while nobody answers."""
        try:
            with self._ask("/metrics") as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        return {
            (found.name, tuple(sorted(found.labels.items()))): found.value
            for family in text_string_to_metric_families(text)
            for found in family.samples
        }

    def processor(self) -> float:
        """Processor time so far, in seconds."""
        return processor_seconds([self.pid])

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _ready(self) -> bool:
        try:
            with self._ask("/ready") as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _ask(self, path: str) -> Any:
        return urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=_ASK_SECONDS)


def total(samples: Samples, name: str, **labels: str) -> float:
    """The sum of the samples ``name`` that have these labels."""
    return sum(
        value
        for (found, has), value in samples.items()
        if found == name and labels.items() <= dict(has).items()
    )


@lru_cache(maxsize=1)
def compile_kernels() -> None:
    """Let the kernels be compiled before anything is timed; quick where they are in their cache."""
    say("compiling kernels, once a machine (a minute or two) ...")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "streams.warming"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise Unreachable("the kernels cannot be compiled: see above")


class FullJob:
    """How far a score worker is: an event is done when its row counts in every window.

    Rows that ``weighed`` still holds are subtracted from what is weighed.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.last: Samples = {}

    def done(self) -> int:
        """Events that went through both hops."""
        samples = self._worker.samples()
        if not samples:
            return 0
        self.last = samples
        weighed = total(samples, "renown_events_total", stage="weigh")
        rows = sum(
            total(samples, "renown_events_total", stage="weigh", outcome=outcome)
            for outcome in _WITH_ROWS
        )
        applied = total(samples, "renown_events_total", stage="score", outcome="applied")
        return int(weighed - max(0.0, rows - applied))

    def figures(self, events: int) -> dict[str, Any]:
        """What else the metrics say after ``events``."""
        last = self.last
        return {
            "outcomes": _by(last, "renown_events_total", "outcome", stage="weigh"),
            "stage_us_per_event": {
                stage: round(1e6 * seconds / max(1, events), 3)
                for stage, seconds in _by(last, "renown_stage_seconds_total", "stage").items()
            },
            "changelog_bytes_per_event": round(
                total(last, "renown_changelog_bytes_total") / max(1, events), 1
            ),
            "scores_emitted": int(total(last, "renown_scores_emitted_total")),
            "accounts": int(total(last, "renown_accounts")),
        }


def full_job(kafka: str, folder: Path, events: int, longest: float) -> tuple[Measured, FullJob]:
    """The full job over everything that the topics hold, in one worker."""
    compile_kernels()
    with Worker("score", kafka, folder) as worker:
        worker.wait_ready()
        job = FullJob(worker)
        measured = watch(
            "renown", lambda: [worker.pid], job.done, events, longest, worker.running, LOOK_SECONDS
        )
        if not worker.running():
            last = worker.log.read_text().strip()[-300:]
            raise Unreachable(f"the score worker ended: {last}")
    return measured, job


def _by(samples: Samples, name: str, label: str, **labels: str) -> Mapping[str, float]:
    values: dict[str, float] = {}
    for (found, has), value in samples.items():
        got = dict(has)
        if found == name and labels.items() <= got.items() and value:
            values[got[label]] = values.get(got[label], 0.0) + value
    return values


_WITH_ROWS: Final = ("accepted", "undone")
