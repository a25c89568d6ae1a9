"""Metrics of an agent: what it publishes, what it refuses, and how far it is behind its network.

No label holds an account, and every reason is one of a few.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from agents.clock import Clock, SystemClock

POST: Final = "post"
ACCOUNT: Final = "account"
"""Kinds of what is published, beside the five of interactions."""


class AgentMetrics:
    """The metrics of one process with agents, by network."""

    def __init__(self, registry: CollectorRegistry, clock: Clock | None = None) -> None:
        """``clock``: whose wall time the age of a cursor is held against."""
        self._clock = clock or SystemClock()
        self._cursors: dict[str, int] = {}
        self._published = Counter(
            "renown_agent_published",
            "Records handed to the broker, by kind: interactions (undos included), post, account. "
            "If it stands still while renown_agent_connected is 1, the network is silent or the "
            "broker takes nothing: see /ready of the agent.",
            ["network", "kind"],
            registry=registry,
        )
        self._rejected = Counter(
            "renown_agent_rejected",
            "Payloads or parts of them that became no interaction, by reason. Self-interactions "
            "and follows are normal; if another reason grows, the format has changed: renown "
            "dead-letters list shows examples.",
            ["network", "reason"],
            registry=registry,
        )
        self._cursor_age = Gauge(
            "renown_agent_cursor_age_seconds",
            "Wall time minus event time of the last acknowledged position. If high: the agent is "
            "not connected, catches up after an outage, or waits for the broker.",
            ["network"],
            registry=registry,
        )
        self._connected = Gauge(
            "renown_agent_connected",
            "1 while the network's source is read, else 0. If 0 for minutes: look at the agent's "
            "log for the reason and at the network's own status.",
            ["network"],
            registry=registry,
        )
        self._reconnects = Counter(
            "renown_agent_reconnects",
            "Connections after the first. If it grows steadily: the source closes early or stays "
            "silent; try another address of it.",
            ["network"],
            registry=registry,
        )
        self._waiting_owners = Gauge(
            "renown_agent_waiting_owners",
            "Payloads that wait until it is known whom they concern. If high: the network names "
            "accounts in a way that the agent has not met; they end as unresolved target.",
            ["network"],
            registry=registry,
        )

    def published(self, network: str, kind: str, number: int = 1) -> None:
        """Count records handed to the broker."""
        self._published.labels(network, kind).inc(number)

    def rejected(self, network: str, reason: str, number: int = 1) -> None:
        """Count what became no interaction; ``reason`` is one of a few."""
        self._rejected.labels(network, reason).inc(number)

    def acknowledged(self, network: str, at: int) -> None:
        """The broker has acknowledged everything up to event time ``at`` (ms)."""
        if network not in self._cursors:
            self._cursor_age.labels(network).set_function(lambda: self._age(network))
        self._cursors[network] = at

    def connected(self, network: str, now: bool) -> None:
        """Whether the source is being read."""
        self._connected.labels(network).set(int(now))

    def reconnected(self, network: str) -> None:
        """Count a connection after the first."""
        self._reconnects.labels(network).inc()

    def waiting_owners(self, network: str, number: int) -> None:
        """How many payloads wait to learn whom they concern."""
        self._waiting_owners.labels(network).set(number)

    def _age(self, network: str) -> float:
        return (self._clock.now_ms() - self._cursors[network]) / 1000
