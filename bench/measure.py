"""How fast something goes through the load: its progress and processor time, watched from outside.

Whatever is measured says now and then how many events it has done. The rate counts from the first
tenth on (starting up, joining a group and warming up are no throughput) to the last event, or to
where the time was up.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.common import largest_resident, processor_seconds, say

_WARM: Final = 0.1
_SAY_SECONDS: Final = 10.0
_STALLED_SECONDS: Final = 20.0
_START_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 15.0


class Sample(NamedTuple):
    """At ``at`` (monotonic seconds) so many events were done, with so much processor time."""

    at: float
    events: int
    processor: float


class Measured(NamedTuple):
    """``events`` that were done in all; rate and processor time behind the first tenth."""

    events: int
    events_per_second: float
    cpu_us_per_event: float
    cores: float
    peak_mb: int
    complete: bool

    def figures(self) -> dict[str, Any]:
        """For a result."""
        return {
            "events": self.events,
            "complete": self.complete,
            "events_per_second": round(self.events_per_second),
            "cpu_us_per_event": round(self.cpu_us_per_event, 2),
            "cores": round(self.cores, 2),
            "peak_mb": self.peak_mb,
        }


def watch(
    name: str,
    pids: Callable[[], Sequence[int]],
    done: Callable[[], int],
    total: int,
    longest: float,
    running: Callable[[], bool],
    look_seconds: float = 0.1,
) -> Measured:
    """Watch until ``total`` events are done, nothing moves any more, or ``longest`` seconds."""
    samples: list[Sample] = []
    began = moved = said = time.monotonic()
    while True:
        now, events = time.monotonic(), done()
        if not samples or events > samples[-1].events:
            moved = now
            samples.append(Sample(now, events, processor_seconds(pids())))
        if now - said > _SAY_SECONDS:
            said = now
            say(f"{name}: {events:,} of {total:,} events after {now - began:.0f} s")
        patience = _STALLED_SECONDS if events else _START_SECONDS
        if events >= total or not running() or now - moved > patience:
            break
        if events and now - _first_moved(samples) > longest:
            break
        time.sleep(look_seconds)
    return rate_of(samples, total, largest_resident(pids()))


def rate_of(samples: Sequence[Sample], total: int, peak_bytes: int) -> Measured:
    """The rate from where a tenth was done (of all, or of what was reached) to the last sample."""
    last = samples[-1]
    first = next(s for s in samples if s.events >= _WARM * last.events)
    events, seconds = last.events - first.events, last.at - first.at
    processor = last.processor - first.processor
    if events <= 0 or seconds <= 0:
        return Measured(last.events, 0.0, 0.0, 0.0, peak_bytes >> 20, complete=False)
    return Measured(
        events=last.events,
        events_per_second=events / seconds,
        cpu_us_per_event=1e6 * processor / events,
        cores=processor / seconds,
        peak_mb=peak_bytes >> 20,
        complete=last.events >= total,
    )


def _first_moved(samples: Sequence[Sample]) -> float:
    return next(sample.at for sample in samples if sample.events)


class Counting:
    """Child processes that print ``PROGRESS <events>``; ends with the block, if need be by force.

    The other lines that they print go to ``log``.
    """

    def __init__(
        self,
        commands: Sequence[Sequence[str]],
        environments: Sequence[Mapping[str, str]],
        folder: Path,
        log: Path,
    ) -> None:
        self._done = [0] * len(commands)
        self._log = log.open("w")
        self._processes = [
            subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
            )
            for command, environment in zip(commands, environments, strict=True)
        ]
        self._readers = [
            threading.Thread(target=self._read, args=(number,), daemon=True)
            for number in range(len(commands))
        ]
        for reader in self._readers:
            reader.start()

    def pids(self) -> list[int]:
        """Of the processes."""
        return [process.pid for process in self._processes]

    def done(self) -> int:
        """Events that all of them have done."""
        return sum(self._done)

    def running(self) -> bool:
        """Whether all are alive."""
        return all(process.poll() is None for process in self._processes)

    def _read(self, number: int) -> None:
        stream = self._processes[number].stdout
        for line in stream or ():
            word, _, count = line.partition(" ")
            if word == "PROGRESS":
                self._done[number] = int(count)
            else:
                self._log.write(line)

    def __enter__(self) -> "Counting":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for reader in self._readers:
            reader.join(_STOP_SECONDS)
        for process in self._processes:
            if process.stdout:
                process.stdout.close()
        self._log.close()
