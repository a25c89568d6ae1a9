"""The dashboard of the flow: from the topics of interactions to scores and ClickHouse."""

from typing import Final

from deploy.grafana.panels import (
    BAD,
    GOOD,
    WARN,
    Json,
    choice,
    dashboard,
    graph,
    number,
    prom,
    row,
    table,
)
from deploy.grafana.pipeline_state import processes, quantiles, refused, state

_P: Final = 'process=~"$process"'
_UP: Final = {"0": "down", "1": "up"}
_RISING: Final = ((None, GOOD), (1, BAD))


def _overview() -> list[Json]:
    return [
        row("Is all well?"),
        number(
            "Alerts firing",
            "none",
            "Alerts of Renown that fire now. If not 0: the table beside says which; each has a "
            "section in deploy/runbook.md.",
            prom('count(ALERTS{alertname=~"Renown.+",alertstate="firing"}) or vector(0)', "alerts"),
            steps=_RISING,
        ),
        number(
            "Processes down",
            "none",
            "Processes that ran within the last day and do not answer now. If not 0: see the "
            "table of processes at the end for which, then its log.",
            prom(
                'count(up{job=~"renown-.+"} == 0 and max_over_time(up[1d]) == 1) or vector(0)',
                "processes",
            ),
            steps=_RISING,
        ),
        number(
            "Broker",
            "none",
            "Whether Kafka answers the monitor. If down: start it; everything goes on by itself.",
            prom("max(renown_broker_up)", "broker"),
            steps=((None, BAD), (1, GOOD)),
            words=_UP,
        ),
        number(
            "ClickHouse",
            "none",
            "Whether ClickHouse answers the monitor and takes what the sink writes. If down: start "
            "it; the sink goes on by itself and nothing is lost.",
            prom("min(renown_clickhouse_up)", "clickhouse"),
            steps=((None, BAD), (1, GOOD)),
            words=_UP,
        ),
        number(
            "Canary",
            "s",
            "How long the last canary took from being published to its row in ClickHouse. 1 to 3 s "
            "are usual. If high: the first stage below whose lag or latency is high has the cause.",
            prom("max(renown_canary_last_seconds)", "canary"),
            steps=((None, GOOD), (5, WARN), (20, BAD)),
        ),
        number(
            "Last canary",
            "s",
            "Since a canary last arrived; one flies every 5 s. If it grows: nothing gets through; "
            "see which process is down, then which lag grows.",
            prom("max(renown_canary_age_seconds)", "age"),
            steps=((None, GOOD), (30, WARN), (90, BAD)),
        ),
        table(
            "Alerts",
            "What fires or is about to. Look the alert up in deploy/runbook.md.",
            prom(
                'ALERTS{alertname=~"Renown.+"}'
                ' or on () label_replace(vector(0), "alertname", "none", "", "")',
                instant=True,
            ),
            width=24,
            hidden=("Time", "Value", "__name__", "job"),
        ),
    ]


def _throughput() -> list[Json]:
    return [
        row("Throughput"),
        graph(
            "Events by stage",
            "cps",
            "What each stage deals with: records at weigh and sink, rows at score; without "
            "heartbeats. If a stage falls while the one before does not: see its lag below.",
            prom(
                "sum by (stage) (rate(renown_events_total"
                f'{{{_P},outcome!="heartbeat"}}[$__rate_interval]))',
                "{{stage}}",
            ),
        ),
        graph(
            "Outcomes of weighing",
            "cps",
            "What becomes of the records of the interaction topics. If dead or duplicate grows: "
            "see the dead letters below, and where the agents' cursors stand.",
            prom(
                "sum by (outcome) (rate(renown_events_total"
                f'{{{_P},stage="weigh",outcome!="heartbeat"}}[$__rate_interval]))',
                "{{outcome}}",
            ),
            stacked=True,
        ),
        graph(
            "Score updates by cause",
            "cps",
            "Score updates sent. If low while rows are applied: see the worker's log. Many by time "
            "at the turn of an hour are usual.",
            prom(
                f"sum by (cause) (rate(renown_scores_emitted_total{{{_P}}}[$__rate_interval]))",
                "{{cause}}",
            ),
            width=8,
        ),
        graph(
            "Time by stage",
            "percentunit",
            "Share of a second that workers spend in a stage; checkpoint and insert include "
            "waiting for an answer. If weigh, score and emit of one process come near 100 %: it "
            "uses one core up; start another worker.",
            prom(
                "sum by (process, stage) "
                f"(rate(renown_stage_seconds_total{{{_P}}}[$__rate_interval]))",
                "{{process}} {{stage}}",
            ),
            width=8,
        ),
        graph(
            "Events dealt with at once (median)",
            "none",
            "Size of batches. Large under load is good. If small under load: the worker waits for "
            "the broker or ClickHouse; look at these first.",
            prom(quantiles("renown_batch_events", "stage", "0.5"), "{{stage}}"),
            width=8,
        ),
    ]


def _latency() -> list[Json]:
    since = "renown_event_latency_seconds_bucket"

    def quantile(share: float, start: str) -> Json:
        chosen = f'{{{_P},since="{start}"}}'
        rate = f"sum by (stage, le) (rate({since}{chosen}[$__rate_interval]))"
        return prom(f"histogram_quantile({share}, {rate})", f"{{{{stage}}}} p{share * 100:g}")

    return [
        row("Latency"),
        graph(
            "Since received",
            "s",
            "From when an agent received an event to the end of each stage. If high: the first "
            "stage where it is has the cause; see its lag. A replay of history shows its age.",
            *(quantile(share, "received") for share in (0.5, 0.95, 0.99)),
        ),
        graph(
            "Since the event",
            "s",
            "From the event itself to the end of each stage. If high while the other is low: the "
            "agent is behind its network; see the dashboard of agents.",
            *(quantile(share, "event") for share in (0.5, 0.95)),
        ),
        graph(
            "Canaries",
            "s",
            "From publishing a synthetic interaction to its row in ClickHouse, measured from "
            "outside. If high and no other panel is: deploy/runbook.md, RenownCanarySlow.",
            prom(
                "histogram_quantile(0.5, sum by (le) (rate(renown_canary_seconds_bucket[5m])))",
                "p50",
            ),
            prom(
                "histogram_quantile(0.95, sum by (le) (rate(renown_canary_seconds_bucket[5m])))",
                "p95",
            ),
            prom("max(renown_canary_last_seconds)", "last"),
            limit=20,
        ),
        graph(
            "Canaries that did not arrive",
            "none",
            "Canaries lost in 5 minutes. If not 0: something was down or far behind then; see "
            "lag and alerts of that time.",
            prom("sum(increase(renown_canary_lost_total[5m]))", "lost"),
        ),
    ]


def _lag() -> list[Json]:
    return [
        row("Lag"),
        graph(
            "Records behind, by stage",
            "none",
            "What the broker holds and the workers have not applied. If it grows and does not "
            "fall: start another worker, or see which stage takes the time.",
            prom(f"sum by (stage) (renown_consumer_lag{{{_P}}})", "{{stage}}"),
            limit=50000,
        ),
        graph(
            "Records not committed, by group",
            "none",
            "Seen from outside, so also while workers are dead. It grows between two checkpoints. "
            "If it does not fall again: the workers of the group are down or too slow.",
            prom("sum by (group, topic) (renown_group_lag)", "{{group}} {{topic}}"),
        ),
        graph(
            "Clocks behind the time of day",
            "s",
            "How far the event time of each partition is behind. Some seconds under a live feed. "
            "If high: an agent is behind, or history is being replayed.",
            prom(f"time() - renown_clock_seconds{{{_P}}}", "partition {{partition}}"),
            width=8,
        ),
        graph(
            "Rebalances",
            "none",
            "Times in 5 minutes that partitions were given out anew. If not 0 though no worker "
            "came or went: workers miss their sessions; give them more CPU or raise "
            "RENOWN_SESSION_SECONDS.",
            prom(f"increase(renown_rebalances_total{{{_P}}}[5m])", "{{process}}"),
            width=8,
        ),
        graph(
            "Frames passed over (holes)",
            "none",
            "Frames in 5 minutes that came before one that is missing. A few around a restart are "
            "sent again. If it goes on: deploy/runbook.md, RenownHoles.",
            prom(f"sum by (stage) (increase(renown_holes_total{{{_P}}}[5m]))", "{{stage}}"),
            width=8,
        ),
    ]


def pipeline() -> Json:
    """The dashboard."""
    return dashboard(
        "renown-pipeline",
        "Renown: pipeline",
        "From interactions to scores and ClickHouse: throughput, latency, lag, state.",
        [
            *_overview(),
            *_throughput(),
            *_latency(),
            *_lag(),
            *state(),
            *refused(),
            *processes(),
        ],
        choice("process", "Process", 'label_values(up{job=~"renown-.+"}, process)'),
        since="now-1h",
    )
