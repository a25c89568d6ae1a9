"""Score workers and sinks as processes of their own, and what they tell operators."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from renown.embedded.process import free_port

_STOP_SECONDS = 20.0


class Answer(NamedTuple):
    """What ``/health`` or ``/ready`` said."""

    status: int
    checks: dict[str, str]


class Worker:
    """A running worker with its own port for metrics."""

    def __init__(self, job: str, folder: Path, **settings: object) -> None:
        """``settings``: ``kafka="…"`` sets ``RENOWN_KAFKA`` and so on."""
        self.port = free_port()
        self.log = folder / f"{job}.log"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RENOWN_")}
        given = {**settings, "metrics_port": self.port, "data_dir": folder / job}
        environment |= {f"RENOWN_{name.upper()}": str(value) for name, value in given.items()}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "renown", "worker", job],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def ask(self, path: str) -> Answer | None:
        """``/health`` or ``/ready``; None while nobody listens."""
        try:
            with urllib.request.urlopen(self._url(path), timeout=5) as answer:
                return Answer(answer.status, json.load(answer)["checks"])
        except urllib.error.HTTPError as refusal:
            return Answer(refusal.code, json.load(refusal)["checks"])
        except urllib.error.URLError:
            return None

    def ready(self) -> bool:
        """Whether it can do its work; fails if the process has ended."""
        assert self.process.poll() is None, self.log.read_text()
        answer = self.ask("/ready")
        return answer is not None and answer.status == 200

    def families(self) -> dict[str, Metric]:
        """Name → metric, as Prometheus would read it."""
        with urllib.request.urlopen(self._url("/metrics"), timeout=5) as answer:
            text = answer.read().decode()
        return {family.name: family for family in text_string_to_metric_families(text)}

    def value(self, sample: str, **labels: str) -> float:
        """The sum of the samples with this name that have these labels."""
        return sum(
            found.value
            for family in self.families().values()
            for found in family.samples
            if found.name == sample and labels.items() <= found.labels.items()
        )

    def by(self, sample: str, *names: str, **labels: str) -> dict[Any, float]:
        """Values of a sample that are not 0, by the values of the labels ``names``."""
        return {
            tuple(found.labels[name] for name in names) if names[1:] else found.labels[names[0]]: (
                found.value
            )
            for family in self.families().values()
            for found in family.samples
            if found.name == sample and labels.items() <= found.labels.items() and found.value
        }

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def worker(job: str, folder: Path, **settings: object) -> Iterator[Worker]:
    """A worker that ends with the block, at the latest by SIGKILL."""
    running = Worker(job, folder, **settings)
    try:
        yield running
    finally:
        running.process.terminate()
        try:
            running.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.process.kill()
            running.process.wait()
