"""The lower half of the dashboard of the flow: state, what is refused, and the processes."""

from typing import Final

from deploy.grafana.panels import Json, graph, prom, row, table

_P: Final = 'process=~"$process"'


def quantiles(metric: str, by: str, share: str) -> str:
    """The ``share`` of a histogram's observations, by one label."""
    rate = f"sum by ({by}, le) (rate({metric}_bucket{{{_P}}}[$__rate_interval]))"
    return f"histogram_quantile({share}, {rate})"


def state() -> list[Json]:
    """Checkpoints and the state that they hold."""
    return [
        row("Checkpoints and state"),
        graph(
            "Oldest change without a checkpoint",
            "s",
            "A few seconds are usual. If high: checkpoints do not come through, and a restart "
            "would do that much again; see the worker's log and the broker.",
            prom(
                f"max by (process, stage) (renown_checkpoint_age_seconds{{{_P}}})",
                "{{process}} {{stage}}",
            ),
            width=8,
            limit=60,
        ),
        graph(
            "Duration of checkpoints (p95)",
            "s",
            "Until the broker has one. If high: the broker is slow or the state is large.",
            prom(quantiles("renown_checkpoint_seconds", "stage", "0.95"), "{{stage}}"),
            width=8,
        ),
        graph(
            "Checkpoints sent",
            "Bps",
            "Compressed bytes a second. If more than the broker's disk bears: raise "
            "RENOWN_CHECKPOINT_SECONDS.",
            prom(
                f"sum by (stage) (rate(renown_changelog_bytes_total{{{_P}}}[$__rate_interval]))",
                "{{stage}}",
            ),
            width=8,
        ),
        graph(
            "State",
            "bytes",
            "Compressed size of the last checkpoints. If high: recoveries take long; share the "
            "partitions among more workers.",
            prom(f"sum by (process, kind) (renown_state_bytes{{{_P}}})", "{{process}} {{kind}}"),
            width=8,
            stacked=True,
        ),
        graph(
            "Accounts",
            "none",
            "Accounts in the state of each worker. If memory grows with them too fast: more "
            "workers.",
            prom(f"renown_accounts{{{_P}}}", "{{process}}"),
            width=8,
            stacked=True,
        ),
        graph(
            "Duration of the last recovery",
            "s",
            "Nothing flows in those partitions meanwhile. If high: see the state; leave "
            "RENOWN_TRUNCATE_CHANGELOG on.",
            prom(f"renown_recovery_seconds{{{_P}}} or on () vector(0)", "{{process}} {{stage}}"),
            width=8,
        ),
    ]


def refused() -> list[Json]:
    """What comes in and does not count."""
    return [
        row("What does not count"),
        graph(
            "Dead letters by reason",
            "cps",
            "Records that could not be used. If it grows: renown dead-letters list shows them "
            "with their place; repair whoever publishes them, then renown dead-letters replay.",
            prom(
                f"sum by (reason) (rate(renown_dead_letters_total{{{_P}}}[$__rate_interval])) > 0"
                " or on () vector(0)",
                "{{reason}}",
            ),
        ),
        graph(
            "Duplicates, late ones, undos without their like",
            "cps",
            "If duplicates grow: an agent publishes again; see its cursor. If late ones do: an "
            "agent is more than 90 days behind, or its clock is wrong. If unmatched ones do: "
            "undos reach further back than RENOWN_SEEN_HORIZON; raise it.",
            prom(f"sum(rate(renown_duplicates_total{{{_P}}}[$__rate_interval]))", "duplicates"),
            prom(f"sum(rate(renown_late_total{{{_P}}}[$__rate_interval]))", "late"),
            prom(f"sum(rate(renown_undo_unmatched_total{{{_P}}}[$__rate_interval]))", "unmatched"),
        ),
    ]


def processes() -> list[Json]:
    """What the processes take of the machine."""
    return [
        row("Processes"),
        graph(
            "Memory",
            "bytes",
            "Resident memory. If it comes near the limit of its container: more workers share the "
            "state; for the sink and agents, look for what they hold back.",
            prom(f"process_resident_memory_bytes{{{_P}}}", "{{process}}"),
            width=8,
        ),
        graph(
            "CPU",
            "percentunit",
            "100 % is one core, and the most that one worker can use. If it stays there: start "
            "another.",
            prom(f"rate(process_cpu_seconds_total{{{_P}}}[$__rate_interval])", "{{process}}"),
            width=8,
        ),
        graph(
            "Open files",
            "none",
            "Connections among them. If it keeps growing: connections are not closed; see the log "
            "of that process.",
            prom(f"process_open_fds{{{_P}}}", "{{process}}"),
            width=8,
        ),
        table(
            "Processes",
            "All that are meant to run: 1 answers, 0 does not. If 0: its log, then "
            "deploy/runbook.md.",
            prom(f'up{{job=~"renown-.+",{_P}}}', instant=True),
            hidden=("Time", "__name__"),
        ),
        table(
            "Versions",
            "What each process runs. If they differ: an upgrade is not complete.",
            prom(f"renown_build_info{{{_P}}}", instant=True),
            hidden=("Time", "Value", "__name__"),
        ),
    ]
