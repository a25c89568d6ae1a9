"""What the metrics of a score worker read from its live objects when somebody asks.

Every reader runs in the thread of the scrape while the event loop goes on: it copies a dict that
the loop changes before it goes through it, and a partition that is being given up may be missing.
"""

from typing import Any

from streams.core.score import ScorePartition
from streams.core.weigh_partition import WeighPartition
from streams.engine.checkpoint import Checkpointer
from streams.engine.statelog import StateLog
from streams.engine.worker import WorkerApp
from streams.metrics.common import SCORE, WEIGH
from streams.metrics.reading import Values, alone
from streams.metrics.score import ScoreMetrics


def read_score_worker(
    metrics: ScoreMetrics,
    app: WorkerApp,
    weigh: Checkpointer[WeighPartition],
    score: Checkpointer[ScorePartition],
) -> None:
    """Let the gauges of ``metrics`` show the worker around ``app``."""
    weighs, scores = weigh.log, score.log
    logs: dict[str, StateLog[Any]] = {WEIGH: weighs, SCORE: scores}
    metrics.rebalances.read = alone(lambda: app.rebalancing_count)
    metrics.consumer_lag.read = lambda: {
        **_lag(app, WEIGH, weighs),
        **_lag(app, SCORE, scores),
    }
    metrics.accounts.read = alone(lambda: sum(s.accounts for s in list(scores.states.values())))
    metrics.clock.read = lambda: {
        (str(partition),): state.clock / 1000 for partition, state in list(scores.states.items())
    }
    metrics.state_bytes.read = lambda: {(stage,): _bytes_held(log) for stage, log in logs.items()}
    metrics.changelog_bytes.read = lambda: {(s,): log.sent_bytes for s, log in logs.items()}
    metrics.recovery_seconds.read = lambda: {(s,): log.recovery_seconds for s, log in logs.items()}
    metrics.checkpoint_age.read = lambda: {(WEIGH,): weigh.age(), (SCORE,): score.age()}


def _lag(app: WorkerApp, stage: str, log: StateLog[Any]) -> Values:
    values: dict[tuple[str, ...], float] = {}
    for partition, state in list(log.states.items()):
        for topic, wanted in state.positions().items():
            behind = app.behind(topic, partition, wanted)
            if behind is not None:
                values[stage, topic, str(partition)] = behind
    return values


def _bytes_held(log: StateLog[Any]) -> int:
    return sum(sum(log.sizes.get(partition, ())) for partition in list(log.states))
