"""The child processes of a stack: each with a log, a folder and a metrics port, and started again.

Where Prometheus finds them is kept in ``targets.json`` in the form of its file service discovery.
A process stays listed while it is meant to run, so a target that is down is a process that died.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from config.errors import RenownError
from config.settings import Settings
from renown.embedded.process import LOOPBACK, ChildProcess, free_port
from renown.folders import TARGETS_FILE

_MOST_RESTARTS: Final = 5
_RESTARTS_WITHIN: Final = 300.0
"""Seconds."""
_PAUSE_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 30.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """A process of the stack: ``renown`` with ``arguments``.

    ``folder``: its data folder. ``job``: what it is called in Prometheus.
    """

    name: str
    job: str
    arguments: tuple[str, ...]
    folder: Path


class Processes:
    """Starts, watches and stops parts. ``running`` holds those that are meant to run."""

    def __init__(self, folder: Path, say: Say) -> None:
        """``folder`` gets a log for each part, and the list of targets."""
        self.running: dict[str, ChildProcess] = {}
        self.restarts: dict[str, int] = {}
        self.patience = _STOP_SECONDS
        """Seconds that a part has to end by itself."""
        self._folder = folder
        self._say = say
        self._parts: dict[str, tuple[Part, Settings]] = {}
        self._targets: dict[str, tuple[str, int]] = {}
        self._ended: list[float] = []

    def start(self, part: Part, settings: Settings) -> None:
        """Start ``part`` with ``settings`` in its environment."""
        self._parts[part.name] = part, settings
        _job, port = self._targets.get(part.name) or (part.job, free_port())
        child = ChildProcess(
            f"worker {part.name}",
            [sys.executable, "-m", "renown", *part.arguments],
            _environment(settings, part.folder, port),
            self._folder / f"{part.name}.log",
        )
        self.running[part.name] = child.start()
        self.add_target(part.name, part.job, port)

    def stop(self, name: str) -> None:
        """SIGTERM: what the part has applied is kept before it ends."""
        if child := self.running.pop(name, None):
            child.stop(self.patience)
        self._parts.pop(name, None)
        self._targets.pop(name, None)
        self._write_targets()

    def of_jobs(self, jobs: Sequence[str]) -> list[str]:
        """Names of the parts of these jobs that are meant to run."""
        return [name for name, (part, _) in list(self._parts.items()) if part.job in jobs]

    def add_target(self, name: str, job: str, port: int) -> None:
        """Let Prometheus know of a process and the port of its metrics."""
        self._targets[name] = job, port
        self._write_targets()

    def forget_targets(self) -> None:
        """Nothing runs any more."""
        self._targets.clear()
        (self._folder / TARGETS_FILE).unlink(missing_ok=True)

    def watch(self) -> None:
        """Start parts again that ended; raises ``RenownError`` if they keep ending."""
        for name, child in list(self.running.items()):
            if child.running:
                continue
            last = " | ".join(child.last_lines(2)) or "it printed nothing"
            self.count_end(f"worker {name}", f"{last}; see {self._folder}/{name}.log")
            child.stop()
            self.restarts[name] = self.restarts.get(name, 0) + 1
            self.start(*self._parts[name])
            time.sleep(_PAUSE_SECONDS)

    def count_end(self, what: str, why: str) -> None:
        """Something ended and is to be started again; raises ``RenownError`` if too often."""
        now = time.monotonic()
        self._ended = [at for at in self._ended if now - at < _RESTARTS_WITHIN] + [now]
        if len(self._ended) > _MOST_RESTARTS:
            raise RenownError(f"{what} keeps ending ({why})")
        self._say(f"{what} ended ({why}); starting it again")

    def _write_targets(self) -> None:
        write_targets(
            self._folder / TARGETS_FILE,
            [(name, job, port) for name, (job, port) in sorted(self._targets.items())],
        )


def write_targets(file: Path, targets: Iterable[tuple[str, str, int]]) -> None:
    """Replace the list for Prometheus by the name, job and loopback port of each process."""
    content = [
        {"targets": [f"{LOOPBACK}:{port}"], "labels": {"job": job, "process": name}}
        for name, job, port in targets
    ]
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(json.dumps(content, indent=1))
    unfinished.replace(file)


def _environment(settings: Settings, folder: Path, port: int) -> dict[str, str]:
    values = settings.model_dump(exclude_unset=False, exclude_none=True)
    plain = {
        key: value.get_secret_value() if isinstance(value, SecretStr) else value
        for key, value in values.items()
    }
    plain |= {"data_dir": folder.absolute(), "metrics_port": port, "metrics_host": LOOPBACK}
    return {**os.environ, **{f"RENOWN_{key.upper()}": str(value) for key, value in plain.items()}}
