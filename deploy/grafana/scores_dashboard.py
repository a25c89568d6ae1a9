"""The dashboard of what is stored: scores in SQL, and how the sink and ClickHouse fare."""

from typing import Final

from deploy.grafana.panels import (
    BAD,
    GOOD,
    Json,
    dashboard,
    graph,
    number,
    prom,
    row,
    sql,
    table,
    textbox,
)

# The queries are put together from fixed texts; Grafana quotes what is typed in (sqlstring).
# ruff: noqa: S608

_CHOSEN: Final = (
    "if(${account:sqlstring} = '', (SELECT profile FROM leaderboard LIMIT 1), ${account:sqlstring})"
)
"""The account that was typed in, else the best one."""


def _scores() -> list[Json]:
    return [
        row("Scores"),
        number(
            "Accounts with a score",
            "none",
            "Accounts that anybody engaged. If it stands still while events come in: see the "
            "dashboard of the pipeline.",
            sql("SELECT uniqExact(profile) AS accounts FROM scores"),
            width=6,
        ),
        number(
            "Above 1.0",
            "none",
            "Accounts on the leaderboard. If it falls without an outage: engagement fades, as it "
            "should after 90 days of silence.",
            sql("SELECT countIf(score > 1000) AS above FROM score_now"),
            width=6,
        ),
        number(
            "Event time of the newest score",
            "dateTimeAsIso",
            "If it is behind the time of day under a live feed: see lag and canary on the "
            "dashboard of the pipeline.",
            sql("SELECT toUnixTimestamp64Milli(max(clock)) AS newest FROM scores"),
            width=6,
        ),
        number(
            "Interactions stored",
            "short",
            "Rows as stored; a few may be there twice until ClickHouse merges them. If it stands "
            "still: see the sink below.",
            sql("SELECT count() AS stored FROM interactions_rows"),
            width=6,
        ),
        table(
            "Leaderboard",
            "The best accounts now. If an account surprises: renown show ACCOUNT, or the "
            "engagers below.",
            sql(
                "SELECT rank, profile, points, momentum, engagers_24h, engagers_90d,"
                " interactions_90d, clock FROM leaderboard LIMIT 50"
            ),
        ),
        table(
            "Movers",
            "Whose score moved farthest in the last 24 hours of event time. If one jumps for no "
            "known reason: look at its engagers for a campaign.",
            sql("SELECT profile, points, points_before, change_points FROM movers LIMIT 50"),
        ),
        graph(
            "Distribution",
            "none",
            "Accounts by score in steps of five points. If it shifts as a whole from one day to "
            "the next: compare the model version of the updates.",
            sql(
                "SELECT toDateTime($__toTime) AS time,"
                " concat(toString(5 * intDiv(score, 5000)), ' to ',"
                " toString(5 * intDiv(score, 5000) + 5)) AS points, count() AS accounts"
                " FROM score_now WHERE score > 1000"
                " GROUP BY points, intDiv(score, 5000) ORDER BY intDiv(score, 5000)",
                over_time=True,
            ),
        ),
        graph(
            "Interactions by kind",
            "none",
            "Interactions by the hour of their event, undone ones taken out. If a kind stops: see "
            "the dashboard of agents.",
            sql(
                "SELECT toStartOfHour(at) AS time, toString(kind) AS kind,"
                " sum(sign) AS interactions FROM interactions WHERE $__timeFilter(at)"
                " GROUP BY time, kind ORDER BY time",
                over_time=True,
            ),
            stacked=True,
        ),
    ]


def _account() -> list[Json]:
    return [
        row("One account (type it in above, as network:id; empty: the best)"),
        graph(
            "Score",
            "none",
            "Its score in points over event time. If it jumps: the engagers beside explain it.",
            sql(
                "SELECT toDateTime(clock) AS time, points FROM score_history"
                f" WHERE profile = {_CHOSEN} AND $__timeFilter(clock) ORDER BY time",
                over_time=True,
            ),
        ),
        graph(
            "Engagement",
            "none",
            "What it received by hour and kind, weighted. If one kind makes up all of it: see who "
            "sends it.",
            sql(
                "SELECT starts AS time, toString(kind) AS kind, sum(weight) AS weight"
                f" FROM engagement_hourly WHERE target = {_CHOSEN} AND $__timeFilter(starts)"
                " GROUP BY time, kind ORDER BY time",
                over_time=True,
            ),
            stacked=True,
        ),
        table(
            "Who engages it",
            "The heaviest first; best_class is the highest class of that engager. If many of class "
            "0 or 1 engage at once: new or busy accounts, which weigh little.",
            sql(
                "SELECT actor, network, interactions, round(weight, 2) AS weight, best_class,"
                f" first_at, last_at FROM influencers_of WHERE target = {_CHOSEN}"
                " ORDER BY weight DESC LIMIT 50"
            ),
        ),
        table(
            "On which networks",
            "Share of its engagement by network. If one is missing: is the agent of that network "
            "running?",
            sql(
                "SELECT network, interactions, round(weight, 2) AS weight, round(share, 3) AS share"
                f" FROM network_mix WHERE target = {_CHOSEN} ORDER BY share DESC"
            ),
        ),
    ]


def _storing() -> list[Json]:
    return [
        row("Sink and ClickHouse"),
        number(
            "ClickHouse",
            "none",
            "Whether it answers. If down: start it; the sink goes on by itself, nothing is lost.",
            prom("min(renown_clickhouse_up)", "ClickHouse"),
            steps=((None, BAD), (1, GOOD)),
            words={"0": "down", "1": "up"},
            width=4,
        ),
        number(
            "Oldest row in the sink",
            "s",
            "About a second is usual. If high: ClickHouse is away or slow; see the duration of "
            "inserts.",
            prom("max(renown_sink_oldest_row_age_seconds)", "age"),
            steps=((None, GOOD), (60, BAD)),
            width=4,
        ),
        graph(
            "Rows stored",
            "cps",
            "If low while the score workers are busy: see ClickHouse and the duration of inserts.",
            prom("sum by (table) (rate(renown_sink_rows_total[$__rate_interval]))", "{{table}}"),
            width=8,
        ),
        graph(
            "Duration of inserts (p95)",
            "s",
            "If high: ClickHouse is short of disk or CPU, or merges too many parts; see the "
            "tables beside.",
            prom(
                "histogram_quantile(0.95, sum by (table, le)"
                " (rate(renown_sink_insert_seconds_bucket[$__rate_interval])))",
                "{{table}}",
            ),
            width=8,
        ),
        table(
            "Tables",
            "Rows and size on disk. If there are more than some hundred parts: merges do not keep "
            "up; give ClickHouse more CPU. To expire rows: schemas/clickhouse/0001_tables.sql.",
            sql(
                "SELECT table, sum(rows) AS rows, formatReadableSize(sum(bytes_on_disk)) AS size,"
                " round(sum(data_uncompressed_bytes) / greatest(sum(data_compressed_bytes), 1), 1)"
                " AS compressed_by, count() AS parts FROM system.parts"
                " WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table"
            ),
        ),
        table(
            "Dead letters stored",
            "By reason, with the newest. If a reason grows: renown dead-letters list shows the "
            "records; once their cause is gone, renown dead-letters replay plays them again.",
            sql(
                "SELECT toString(reason) AS reason, source_topic, count() AS records,"
                " max(at) AS newest FROM dead_letters FINAL"
                " GROUP BY reason, source_topic ORDER BY records DESC"
            ),
        ),
    ]


def clickhouse_scores() -> Json:
    """The dashboard."""
    return dashboard(
        "renown-clickhouse-scores",
        "Renown: scores in ClickHouse",
        "Scores and engagement as stored, asked in SQL as renown_analyst; the sink and its tables.",
        [*_scores(), *_account(), *_storing()],
        textbox("account", "Account", ""),
        since="now-7d",
    )
