"""What the commands read from ClickHouse: scores, leaderboard, a run's figures."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from schemas.frames import OUTCOMES
from schemas.kinds import KINDS, POST_NAME
from schemas.model import Model
from schemas.topics import Topic
from streams.sinks.client import Database
from streams.sinks.lineage import chain_of

_COUNTED: Final = {
    "interactions": "count() FROM all_interactions",
    "own_posts": f"countIf(kind = '{POST_NAME}') FROM all_weighed_rows",
    "scores": "count() FROM scores FINAL",
    "score_now": "uniqExact(profile) FROM scores",
    "dead_letters": "count() FROM dead_letters FINAL",
}
"""Table or view → what is counted of some logs."""


@dataclass(frozen=True, slots=True)
class Score:
    """The newest score of a profile, and its place among all that are ``ranked``.

    ``weights`` (1024 = 1.0), ``interactions`` and ``engagers``: of the last 6 h, 24 h, 7 d, 30 d
    and 90 d.
    """

    profile: str
    points: float
    momentum: int
    clock: datetime
    weights: tuple[int, ...]
    interactions: tuple[int, ...]
    engagers: tuple[int, ...]
    rank: int
    ranked: int


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the leaderboard. ``score`` in thousandths."""

    rank: int
    profile: str
    points: float
    momentum: int
    engagers_24h: int
    interactions_90d: int
    score: int


@dataclass(frozen=True, slots=True)
class Engager:
    """Who engaged an account, on which network, how often and how heavily (1.0 = 1024)."""

    account: str
    network: str
    interactions: int
    weight: float


@dataclass(slots=True)
class RunReport:
    """Figures of one broker log and of those that it continues.

    ``rows``: table or view → rows; ``totals``: outcome → records (``undone``: interactions taken
    back); ``accepted``: kind → interactions; ``score_sum`` (thousandths) of accounts above 1.0;
    ``top``: best accounts with their scores in thousandths; ``dead``: reason → records.
    """

    rows: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    dead: dict[str, int] = field(default_factory=dict)
    accounts_scored: int = 0
    accounts_above_1: int = 0
    score_sum: int = 0
    top: list[tuple[str, int]] = field(default_factory=list)


def score_of(db: Database, account: str) -> Score | None:
    """The newest score of ``account`` and its place; None if it has none."""
    rows = db.query(
        "SELECT profile, points, momentum, clock, weights, interactions, engagers, score"
        " FROM score_now WHERE profile = %(account)s",
        {"account": account},
    )
    if not rows:
        return None
    profile, points, momentum, clock, weights, interactions, engagers, score = rows[0]
    better, ranked = db.query(
        "SELECT countIf(score > %(score)s), count() FROM score_now", {"score": score}
    )[0]
    return Score(
        profile,
        points,
        momentum,
        clock,
        tuple(weights),
        tuple(interactions),
        tuple(engagers),
        rank=better + 1,
        ranked=ranked,
    )


def leaderboard(db: Database, limit: int = 10) -> list[Place]:
    """The best profiles."""
    rows = db.query(
        "SELECT rank, profile, points, momentum, engagers_24h, interactions_90d, score"
        " FROM leaderboard LIMIT %(limit)s",
        {"limit": limit},
    )
    return [Place(*row) for row in rows]


def engagers_of(db: Database, account: str, limit: int = 10) -> list[Engager]:
    """Who engaged ``account``, the heaviest first."""
    rows = db.query(
        "SELECT actor, network, interactions, weight FROM influencers_of"
        " WHERE target = %(account)s ORDER BY weight DESC, actor LIMIT %(limit)s",
        {"account": account, "limit": limit},
    )
    return [Engager(*row) for row in rows]


def received_by_kind(db: Database, account: str) -> dict[str, int]:
    """Kind → interactions that ``account`` received and that were not taken back."""
    rows = db.query(
        "SELECT kind, sum(sign) FROM interactions WHERE target = %(account)s GROUP BY kind",
        {"account": account},
    )
    received = {kind: int(count) for kind, count in rows if count}
    return {kind.value: received[kind.value] for kind in KINDS if kind.value in received}


def posts_of(db: Database, account: str, clock: datetime, model: Model) -> tuple[int, ...]:
    """Own posts of ``account`` in each horizon that ends at ``clock``, deleted ones left out."""
    hour = int(clock.replace(tzinfo=UTC).timestamp()) // 3600
    horizons = list(model.horizons_h)
    ((counts,),) = db.query(
        "SELECT sumForEach(arrayMap(h -> if(hour + h >= %(hour)s, sign, 0), %(horizons)s))"
        " FROM own_posts WHERE author = %(account)s AND hour <= %(hour)s",
        {"account": account, "hour": hour, "horizons": horizons},
    )
    return tuple(counts) or (0,) * len(horizons)


def run_report(db: Database, log: int, top: int = 10) -> RunReport:
    """What is stored of one broker log and of those that it continues."""
    values = {"logs": chain_of(db, log), "top": top}
    report = RunReport(
        rows={
            name: _count(db, f"SELECT {counted} WHERE log IN %(logs)s", values)
            for name, counted in _COUNTED.items()
        },
        totals=dict.fromkeys(OUTCOMES, 0),
        accepted={kind.value: 0 for kind in KINDS},
    )
    kinds = {Topic.of_kind(kind).value: kind.value for kind in KINDS}
    for topic, totals in db.query(
        "SELECT source_topic, totals FROM source_totals WHERE log IN %(logs)s", values
    ):
        if topic not in kinds:
            continue  # own posts are no interactions
        for outcome, count in totals.items():
            report.totals[outcome] = report.totals.get(outcome, 0) + count
        report.accepted[kinds[topic]] += totals.get("accepted", 0)
    report.dead = dict(
        db.query(
            "SELECT reason, count() FROM dead_letters FINAL WHERE log IN %(logs)s"
            " GROUP BY reason ORDER BY reason",
            values,
        )
    )
    newest = (
        "(SELECT profile, argMax(score, (log, epoch, sequence)) AS score FROM scores"
        " WHERE log IN %(logs)s GROUP BY profile)"
    )
    above = f"FROM {newest} WHERE score > 1000"
    report.accounts_scored = report.rows["score_now"]
    report.accounts_above_1 = _count(db, f"SELECT count() {above}", values)
    report.score_sum = _count(db, f"SELECT sum(score) {above}", values)
    best = f"SELECT profile, score {above} ORDER BY score DESC, profile LIMIT %(top)s"
    report.top = [(profile, score) for profile, score in db.query(best, values)]
    report.rows["leaderboard"] = report.accounts_above_1
    return report


def _count(db: Database, sql: str, values: dict[str, Any]) -> int:
    return int(db.query(sql, values)[0][0])
