"""Every metric of the monitor: what it means, and what to do when it is high or low."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_CANARY_BUCKETS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)


class MonitorMetrics:
    """The metrics of one monitor, in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.canary = Histogram(
            "renown_canary_seconds",
            "Time from publishing a synthetic interaction to its row in ClickHouse. "
            "If high: see which stage is behind (renown_consumer_lag, renown_group_lag).",
            buckets=_CANARY_BUCKETS,
            registry=registry,
        )
        self.canary_last = Gauge(
            "renown_canary_last_seconds",
            "The last such time. If high: see renown_canary_seconds.",
            registry=registry,
        )
        self.canary_age = Gauge(
            "renown_canary_age_seconds",
            "Time since a canary last arrived, or since the monitor started. If high: nothing "
            "arrives any more; see which process is down or behind. Without any event the monitor "
            "sends none and this stays 0.",
            registry=registry,
        )
        self.canary_lost = Counter(
            "renown_canary_lost",
            "Canaries that did not arrive in time. If it grows: as renown_canary_age_seconds.",
            registry=registry,
        )
        self.group_lag = Gauge(
            "renown_group_lag",
            "Records of a topic that a group has not committed; between two checkpoints it grows "
            "although all is well. If it does not fall again: that group's workers are down or too "
            "slow; start another.",
            ["group", "topic"],
            registry=registry,
        )
        self.clickhouse_up = Gauge(
            "renown_clickhouse_up",
            "1 while ClickHouse answers. If 0: start it; the sink goes on by itself.",
            registry=registry,
        )
        self.broker_up = Gauge(
            "renown_broker_up",
            "1 while the broker answers. If 0: start it; agents and workers go on by themselves.",
            registry=registry,
        )
