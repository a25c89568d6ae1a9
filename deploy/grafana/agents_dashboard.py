"""The dashboard of the agents: what comes in from the networks."""

from typing import Final

from deploy.grafana.panels import BAD, GOOD, WARN, Json, choice, dashboard, graph, number, prom, row

_N: Final = 'network=~"$network"'
_AGENTS: Final = 'job="renown-agent"'


def agents() -> Json:
    """The dashboard."""
    published = f"renown_agent_published_total{{{_N}}}"
    rejected = f"renown_agent_rejected_total{{{_N}}}"
    panels = [
        row("Now"),
        number(
            "Connected",
            "none",
            "Whether the network's source is read. If not for minutes: the agent's log has the "
            "reason; then the network's own status page.",
            prom(f"min by (network) (renown_agent_connected{{{_N}}})", "{{network}}"),
            steps=((None, BAD), (1, GOOD)),
            words={"0": "away", "1": "connected"},
            width=6,
        ),
        number(
            "Behind the network",
            "s",
            "Age of the last event whose receipt the broker has confirmed. If high: the agent is "
            "not connected, catches up after an outage, or waits for the broker.",
            prom(f"max by (network) (renown_agent_cursor_age_seconds{{{_N}}})", "{{network}}"),
            steps=((None, GOOD), (60, WARN), (300, BAD)),
            width=6,
        ),
        number(
            "Published",
            "cps",
            "Records a second of the last 5 minutes. If 0 while connected: the network is silent "
            "or its format has changed; see what is rejected.",
            prom(f"sum by (network) (rate({published}[5m]))", "{{network}}"),
            width=6,
        ),
        number(
            "Rejected",
            "percentunit",
            "Share of what came in that became no record. Self-interactions and follows are usual. "
            "If it jumps: see the reasons below.",
            prom(
                f"(sum by (network) (rate({rejected}[5m]))"
                f" or 0 * sum by (network) (rate({published}[5m])))"
                f" / clamp_min(sum by (network) (rate({rejected}[5m]))"
                f" + sum by (network) (rate({published}[5m]))"
                f" or sum by (network) (rate({published}[5m])), 0.001)",
                "{{network}}",
            ),
            steps=((None, GOOD), (0.9, WARN)),
            width=6,
        ),
        row("Over time"),
        graph(
            "Published by kind",
            "cps",
            "Undos count with their kind; posts and accounts are no interactions. If one kind "
            "stops and others do not: the network has changed how it tells of it.",
            prom(
                "sum by (network, kind) (rate(renown_agent_published_total"
                f"{{{_N}}}[$__rate_interval]))",
                "{{network}} {{kind}}",
            ),
            stacked=True,
        ),
        graph(
            "Rejected by reason",
            "cps",
            "If a reason other than self-interaction grows: renown dead-letters list shows "
            "examples; repair the adapter of the network.",
            prom(
                "sum by (network, reason) (rate(renown_agent_rejected_total"
                f"{{{_N}}}[$__rate_interval])) > 0 or on () vector(0)",
                "{{network}} {{reason}}",
            ),
            stacked=True,
        ),
        graph(
            "Behind the network",
            "s",
            "As above, over time; after an outage it falls by more than a second a second. If it "
            "does not: the network sends faster than the agent publishes, or hardly at all.",
            prom(f"renown_agent_cursor_age_seconds{{{_N}}}", "{{process}} {{network}}"),
            limit=300,
        ),
        graph(
            "Reconnects",
            "none",
            "Connections after the first, in 5 minutes. If it keeps growing: the source closes "
            "early or stays silent; give the agent another address of it (--url).",
            prom(
                f"increase(renown_agent_reconnects_total{{{_N}}}[5m]) or on () vector(0)",
                "{{process}} {{network}}",
            ),
        ),
        graph(
            "Waiting for whom they concern",
            "none",
            "Payloads about objects whose author is not known yet. If high and growing: they end "
            "in the dead letters as unresolved target.",
            prom(
                f"renown_agent_waiting_owners{{{_N}}} or on () vector(0)", "{{process}} {{network}}"
            ),
            width=8,
        ),
        graph(
            "Memory",
            "bytes",
            "Resident memory of agents; the cache of authors is bounded. If it keeps growing: "
            "restart the agent, it goes on at its cursor, and report it.",
            prom(f"process_resident_memory_bytes{{{_AGENTS}}}", "{{process}}"),
            width=8,
        ),
        graph(
            "CPU",
            "percentunit",
            "100 % is one core. If it stays there while the agent is behind: it cannot keep up "
            "with its network.",
            prom(f"rate(process_cpu_seconds_total{{{_AGENTS}}}[$__rate_interval])", "{{process}}"),
            width=8,
        ),
    ]
    return dashboard(
        "renown-agents",
        "Renown: agents",
        "What the agents receive, publish and refuse, and how far they are behind their networks.",
        panels,
        choice("network", "Network", "label_values(renown_agent_connected, network)"),
        since="now-1h",
    )
