"""The metrics of agents, as Prometheus reads them."""

from prometheus_client import CollectorRegistry

from agents.metrics import POST, AgentMetrics
from tests.support.publishing import NOW, StillClock


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"renown_agent_{name}", labels)


def test_everything_is_told_by_network() -> None:
    registry = CollectorRegistry(auto_describe=True)
    metrics = AgentMetrics(registry)
    metrics.published("bluesky", "like")
    metrics.published("bluesky", "like", 4)
    metrics.published("mastodon", POST)
    metrics.rejected("bluesky", "follow", 2)
    metrics.connected("bluesky", True)
    metrics.reconnected("bluesky")
    metrics.waiting_owners("bluesky", 3)
    assert value(registry, "published_total", network="bluesky", kind="like") == 5
    assert value(registry, "published_total", network="mastodon", kind="post") == 1
    assert value(registry, "rejected_total", network="bluesky", reason="follow") == 2
    assert value(registry, "connected", network="bluesky") == 1
    assert value(registry, "reconnects_total", network="bluesky") == 1
    assert value(registry, "waiting_owners", network="bluesky") == 3
    metrics.connected("bluesky", False)
    assert value(registry, "connected", network="bluesky") == 0


def test_the_age_of_a_cursor_grows_while_nothing_is_acknowledged() -> None:
    registry, clock = CollectorRegistry(auto_describe=True), StillClock()
    metrics = AgentMetrics(registry, clock)
    assert value(registry, "cursor_age_seconds", network="bluesky") is None
    metrics.acknowledged("bluesky", NOW - 2_500)
    assert value(registry, "cursor_age_seconds", network="bluesky") == 2.5
    clock.sleep(10)
    assert value(registry, "cursor_age_seconds", network="bluesky") == 12.5
    metrics.acknowledged("bluesky", NOW + 10_000)
    assert value(registry, "cursor_age_seconds", network="bluesky") == 0


def test_every_help_text_says_what_to_do() -> None:
    registry = CollectorRegistry(auto_describe=True)
    AgentMetrics(registry)
    for metric in registry.collect():
        assert metric.name.startswith("renown_agent_")
        assert metric.documentation.count(". If") + metric.documentation.count("; if") == 1
