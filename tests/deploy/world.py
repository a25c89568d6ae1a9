"""Metrics of a stack over 80 minutes, in which a scenario lets something go wrong."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

MINUTES: Final = 80
PER_MINUTE: Final = 2
"""Scrapes."""
SAMPLES: Final = MINUTES * PER_MINUTE + 1

BEGINS, ENDS = 20, 50
"""From which minute to which the usual scenario goes wrong."""

Values = list[float | None]
"""A value for each scrape; None where it failed or the series is not there."""

PROCESSES: Final = {
    "score-1": "renown-score",
    "score-2": "renown-score",
    "sink": "renown-sink",
    "bluesky": "renown-agent",
    "monitor": "renown-monitor",
}

_GAUGES: Final[dict[str, dict[str, float]]] = {
    "score": {
        'renown_consumer_lag{stage="weigh",topic="interactions.like",partition="0"}': 900,
        'renown_consumer_lag{stage="score",topic="weighed",partition="0"}': 40,
        'renown_checkpoint_age_seconds{stage="weigh"}': 3,
        'renown_checkpoint_age_seconds{stage="score"}': 4,
    },
    "sink": {
        'renown_consumer_lag{stage="sink",topic="weighed",partition="0"}': 60,
        "renown_sink_oldest_row_age_seconds": 1,
        "renown_clickhouse_up": 1,
    },
    "agent": {
        'renown_agent_cursor_age_seconds{network="bluesky"}': 2,
        'renown_agent_connected{network="bluesky"}': 1,
    },
    "monitor": {
        "renown_canary_last_seconds": 1.5,
        "renown_canary_age_seconds": 4,
        'renown_group_lag{group="renown-score",topic="interactions.like"}': 2000,
        'renown_group_lag{group="renown-sink",topic="weighed"}': 300,
        "renown_clickhouse_up": 1,
        "renown_broker_up": 1,
    },
}
_COUNTERS: Final[dict[str, dict[str, float]]] = {
    "score": {
        'renown_events_total{stage="weigh",topic="interactions.like",outcome="accepted"}': 200,
        'renown_events_total{stage="weigh",topic="interactions.like",outcome="heartbeat"}': 20,
        'renown_dead_letters_total{reason="not JSON"}': 0.05,
        'renown_holes_total{stage="score"}': 0,
    },
    "sink": {'renown_holes_total{stage="sink"}': 0},
    "agent": {
        'renown_agent_published_total{network="bluesky",kind="like"}': 300,
        'renown_agent_published_total{network="bluesky",kind="retweet"}': 30,
    },
    "monitor": {"renown_canary_lost_total": 0},
}
"""Per second."""


def ramp(first: float, last: float) -> tuple[float, float]:
    """A value that goes evenly from one to the other."""
    return first, last


@dataclass
class World:
    """Series → values; the scenario's own names for series leave out process and job."""

    processes: dict[str, str] = field(default_factory=lambda: dict(PROCESSES))
    series: dict[str, Values] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for process, job in self.processes.items():
            self.series[named("up", process, job)] = [1.0] * SAMPLES
            self.series[named("process_start_time_seconds", process, job)] = [1000.0] * SAMPLES
            kind = job.removeprefix("renown-")
            for name, value in _GAUGES[kind].items():
                self.series[named(name, process, job)] = [float(value)] * SAMPLES
            for name, rate in _COUNTERS[kind].items():
                step = 60 / PER_MINUTE * rate
                self.series[named(name, process, job)] = [step * n for n in range(SAMPLES)]

    def find(self, name: str, process: str) -> Values:
        """The values of a series."""
        return self.series[named(name, process, self.processes[process])]

    def set(
        self,
        name: str,
        process: str,
        value: float | tuple[float, float] | None,
        since: float = BEGINS,
        until: float = ENDS,
    ) -> None:
        """Let a gauge be ``value``, or go along a ``ramp``, between two minutes."""
        values = self.find(name, process)
        first, last = round(since * PER_MINUTE), round(until * PER_MINUTE)
        for n in range(first, min(last, SAMPLES)):
            if isinstance(value, tuple):
                values[n] = value[0] + (value[1] - value[0]) * (n - first) / (last - first)
            else:
                values[n] = value

    def count(
        self,
        name: str,
        process: str,
        rate: float,
        since: float = BEGINS,
        until: float = ENDS,
    ) -> None:
        """Let a counter grow by ``rate`` a second between two minutes, and as before after that."""
        values = self.find(name, process)
        first, last = round(since * PER_MINUTE), round(until * PER_MINUTE)
        steps = [(after or 0) - (before or 0) for before, after in pairwise(values)]
        steps[first:last] = [60 / PER_MINUTE * rate] * len(steps[first:last])
        at = values[0] or 0.0
        for n, step in enumerate(steps, 1):
            at += step
            values[n] = at

    def down(self, process: str, since: float = BEGINS, until: float = ENDS) -> None:
        """A process is away, and is another one afterwards."""
        job = self.processes[process]
        first, last = round(since * PER_MINUTE), round(until * PER_MINUTE)
        for name, values in self.series.items():
            if f'process="{process}"' not in name:
                continue
            if name.startswith("up{"):
                values[first:last] = [0.0] * (last - first)
                continue
            restarted = name.startswith("process_start_time_seconds")
            for n in range(first, SAMPLES):
                if n < last:
                    values[n] = None
                elif restarted:
                    values[n] = 1000.0 + 60 * until
        assert named("up", process, job) in self.series

    def forget(self, name: str, process: str) -> None:
        """A series that is not there."""
        del self.series[named(name, process, self.processes[process])]

    def remove(self, process: str) -> None:
        """A process is not there at all, and nobody expects it."""
        for name in [name for name in self.series if f'process="{process}"' in name]:
            del self.series[name]
        del self.processes[process]


def named(name: str, process: str, job: str) -> str:
    """A series as Prometheus stores it."""
    own, _, labels = name.partition("{")
    labels = labels.removesuffix("}")
    place = f'instance="{process}:9100",job="{job}",process="{process}"'
    return f"{own}{{{place}{',' if labels else ''}{labels}}}"


def notation(values: Values) -> str:
    """Values as promtool reads them: ``3x4`` is five times 3, ``1+2x3`` is 1 3 5 7."""
    pieces, n = [], 0
    while n < len(values):
        first = values[n]
        if first is None:
            end = n
            while end < len(values) and values[end] is None:
                end += 1
            pieces.append("stale" + (f" _x{end - n - 1}" if end - n > 1 else ""))
            n = end
            continue
        step, end = _run(values, n)
        length = end - n - 1
        sign = "-" if step < 0 else "+"
        pieces.append(f"{first:g}{sign}{abs(step):g}x{length}" if length else f"{first:g}")
        n = end
    return " ".join(pieces)


def _run(values: Values, start: int) -> tuple[float, int]:
    """The step of the even run that starts at ``start``, and where it ends."""
    first, following = values[start], values[start + 1] if start + 1 < len(values) else None
    if first is None or following is None:
        return 0.0, start + 1
    step, end = following - first, start + 1
    while end < len(values):
        value = values[end]
        if value is None or abs(value - (first + step * (end - start))) > 1e-6 * max(1, abs(value)):
            break
        end += 1
    return step, end
