"""What happened lately, by ClickHouse: totals, moves of the leaders, the history of a score."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from renown.top.readings import Leader
from streams.sinks.client import Database

DAY_MS: Final = 86_400_000
SLOTS: Final = 56
"""Slots of a history; as many as a sparkline has room for in 80 columns."""


@dataclass(frozen=True, slots=True)
class HistorySlot:
    """The score at the end of a slot that ends at ``at``; ``low`` and ``high`` within it."""

    at: datetime
    points: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ScoreHistory:
    """How a score went from ``start`` to ``end`` (event time), in equal slots.

    ``slots`` begin with the first slot in which there was a score. ``lowest`` and ``highest``
    are of the whole time, ``updates`` how many there were.
    """

    start: datetime
    end: datetime
    lowest: float
    highest: float
    updates: int
    slots: tuple[HistorySlot, ...]


@dataclass(frozen=True, slots=True)
class RecentChange:
    """One update of a score, in points. ``cause``: interaction, time or end."""

    clock: datetime
    before: float
    after: float
    change: float
    cause: str


def newest_totals(db: Database) -> tuple[dict[str, int], int]:
    """Outcome → records of the newest log and those it continues, and their event time in ms."""
    rows = db.query(
        "SELECT sumMap(totals), toUnixTimestamp64Milli(max(clock)) FROM source_totals"
        " WHERE log IN (SELECT log FROM log_chain)"
    )
    totals, clock = rows[0]
    return {name: int(count) for name, count in totals.items()}, max(0, clock)


def dead_in_the_last_minute(db: Database) -> dict[str, int]:
    """Reason → dead letters stored within the last minute, the most frequent first."""
    rows = db.query(
        "SELECT reason, count() AS letters FROM dead_letters FINAL"
        " WHERE inserted > now() - 60 GROUP BY reason ORDER BY letters DESC, reason"
    )
    return {reason: int(count) for reason, count in rows}


def leaders(db: Database, limit: int) -> list[Leader]:
    """The best profiles and how far each moved in the last 24 hours of event time."""
    best = db.query(
        "SELECT rank, profile, points FROM leaderboard LIMIT %(limit)s", {"limit": limit}
    )
    if not best:
        return []
    moved: dict[str, float] = dict(
        db.query(
            "SELECT profile, change_points FROM movers WHERE profile IN %(profiles)s",
            {"profiles": tuple(profile for _, profile, _ in best)},
        )
    )
    return [
        Leader(int(rank), profile, points, moved.get(profile, 0.0))
        for rank, profile, points in best
    ]


def score_history(db: Database, account: str, days: int, slots: int = SLOTS) -> ScoreHistory | None:
    """How the score of ``account`` went in the last ``days`` of event time; None without a score.

    The time ends with the newest score of all accounts, so the history of one that nobody
    engages any more goes on, flat.
    """
    newest = db.query(
        "SELECT toUnixTimestamp64Milli(max(clock)) FROM scores"
        " WHERE log IN (SELECT log FROM log_chain)"
    )[0][0]
    end = int(newest) + 1
    start = end - days * DAY_MS
    step = -(-(end - start) // slots)
    rows = db.query(
        # Slot 0 is all that was before.
        "SELECT if(ms < %(start)s, 0, 1 + intDiv(ms - %(start)s, %(step)s)) AS slot,"
        " argMax(points, (log, epoch, sequence)), min(points), max(points), count()"
        " FROM (SELECT toUnixTimestamp64Milli(clock) AS ms, points, log, epoch, sequence"
        "  FROM score_history WHERE profile = %(account)s)"
        " WHERE ms < %(end)s GROUP BY slot ORDER BY slot",
        {"account": account, "start": start, "end": end, "step": step},
    )
    if not rows:
        return None
    found = {int(slot): (last, low, high, count) for slot, last, low, high, count in rows}
    return _history(found, start, end, step, slots)


def _history(
    found: dict[int, tuple[float, float, float, int]], start: int, end: int, step: int, slots: int
) -> ScoreHistory:
    """The history, a slot without an update being as the one before."""
    points: list[HistorySlot] = []
    standing = found[0][0] if 0 in found else None
    for slot in range(1, slots + 1):
        last, low, high, _ = found.get(slot, (standing, standing, standing, 0))
        if last is None or low is None or high is None:
            continue
        if standing is not None:
            low, high = min(low, standing), max(high, standing)
        points.append(HistorySlot(_time(min(end, start + slot * step)), last, low, high))
        standing = last
    return ScoreHistory(
        start=_time(start),
        end=_time(end),
        lowest=min(point.low for point in points),
        highest=max(point.high for point in points),
        updates=sum(count for slot, (*_, count) in found.items() if slot),
        slots=tuple(points),
    )


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def recent_changes(db: Database, account: str, limit: int) -> list[RecentChange]:
    """The last updates of a score that changed it, the newest first."""
    rows = db.query(
        "SELECT clock, points - change_points, points, change_points, cause FROM score_history"
        " WHERE profile = %(account)s AND change_points != 0"
        " ORDER BY log DESC, epoch DESC, sequence DESC LIMIT %(limit)s",
        {"account": account, "limit": limit},
    )
    return [RecentChange(at, round(before, 3), *rest) for at, before, *rest in rows]
