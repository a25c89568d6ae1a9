"""What the process that runs a stack tells of it: memory of the embedded servers, restarts."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

JOB: Final = "renown-up"

Pids = Callable[[], Mapping[str, int | None]]


class StackCollector(Collector):
    """Reads what is asked for when it is asked for.

    ``pids``: name → process id of each process of the stack; ``restarts``: name → how often it was
    started again. The resident memory is known on Linux only.
    """

    def __init__(self, pids: Pids, restarts: Callable[[], Mapping[str, int]]) -> None:
        self._pids, self._restarts = pids, restarts

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """The two metrics."""
        memory = GaugeMetricFamily(
            "renown_process_resident_bytes",
            "Resident memory of each process of a stack on one machine. If the broker's grows: it "
            "keeps its log in memory; for long runs use a Kafka of your own (RENOWN_KAFKA).",
            labels=["part"],
        )
        for name, pid in sorted(self._pids().items()):
            if pid and (size := resident_bytes(pid)) is not None:
                memory.add_metric([name], size)
        yield memory
        restarts = CounterMetricFamily(
            "renown_restarts",
            "How often a process of a stack ended and was started again. If it grows: read its log "
            "in the data folder.",
            labels=["part"],
        )
        for name, times in sorted(dict(self._restarts()).items()):
            restarts.add_metric([name], times)
        yield restarts


def resident_bytes(pid: int) -> int | None:
    """Resident memory of a process; None if it is gone or this system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
