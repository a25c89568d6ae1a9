"""The gauges of a score worker, read from states that are the smallest real ones."""

from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry

from schemas.model import load_model
from schemas.topics import Topic
from streams.core.score import ScorePartition
from streams.core.weigh_partition import WeighPartition
from streams.metrics.live import read_score_worker
from streams.metrics.score import ScoreMetrics
from tests.support.interactions import NOON, interaction, record
from tests.support.weighed import HOUR, Row, frame, numbered


class Broker:
    """As much of an app as the gauges ask: ends of partitions, some not known (yet)."""

    rebalancing_count = 3

    def __init__(self) -> None:
        self.ends = {(Topic.RETWEET.value, 0): 7, (Topic.WEIGHED.value, 0): 1}

    def behind(self, topic: str, partition: int, wanted: int) -> int | None:
        end = self.ends.get((topic, partition))
        return None if end is None else max(0, end - wanted)


def checkpointer(states: dict[int, Any], age: float) -> Any:
    log = SimpleNamespace(
        states=states, sizes={0: [60, 40], 9: [5]}, sent_bytes=250, recovery_seconds=1.5
    )
    return SimpleNamespace(log=log, age=lambda: age)


def test_each_gauge_tells_its_state() -> None:
    model = load_model()
    weigh = WeighPartition(0, 1, model, horizon=10)
    weigh.apply(Topic.RETWEET, [record(0, interaction(at=NOON))], 4, 0.0)
    score = ScorePartition(0, model, once=True)
    score.apply(frame(numbered([Row(hour=1000), Row(hour=1000, target="twitter:kim")])), 0, 0.0)
    registry = CollectorRegistry()
    metrics = ScoreMetrics(registry)
    of_weigh, of_score = checkpointer({0: weigh}, 4.0), checkpointer({0: score}, 0.0)
    read_score_worker(metrics, cast("Any", Broker()), of_weigh, of_score)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"renown_{name}", labels)

    assert value("consumer_lag", stage="weigh", topic="interactions.retweet", partition="0") == 2
    assert value("consumer_lag", stage="weigh", topic="interactions.like", partition="0") is None
    assert value("consumer_lag", stage="score", topic="weighed", partition="0") == 0
    assert value("accounts") == 2
    assert value("clock_seconds", partition="0") == (1001 * HOUR - 1) / 1000
    assert value("state_bytes", kind="weigh") == 100, "of the partitions that it holds"
    assert value("changelog_bytes_total", stage="score") == 250
    assert value("recovery_seconds", stage="weigh") == 1.5
    assert value("checkpoint_age_seconds", stage="weigh") == 4
    assert value("checkpoint_age_seconds", stage="score") == 0
    assert value("rebalances_total") == 3

    of_weigh.log.states.clear()
    of_score.log.states.clear()
    assert value("consumer_lag", stage="score", topic="weighed", partition="0") is None
    assert value("accounts") == value("state_bytes", kind="weigh") == 0
    assert value("clock_seconds", partition="0") is None
