"""The audit: scores recomputed in ClickHouse from the rows alone, and compared with those stored.

Everything is counted in integers, so a right score agrees to the thousandth and to every sum that
it follows from.
"""
# ruff: noqa: S608 (what is put into the texts are numbers; accounts are passed as parameters)

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from renown.audit_sql import FIELDS, comparison_sql, points_sql, scores_sql, windows_sql
from schemas.kinds import POST_NAME
from schemas.model import Model, load_model
from schemas.topics import Topic
from streams.sinks.client import Database
from streams.sinks.lineage import chain_of, newest_log

EXAMPLES: Final = 20
_HOUR_MS: Final = 3_600_000
_ROWS_AT_ONCE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A score that does not follow from its rows. ``fields``: name → (stored, recomputed)."""

    account: str
    fields: dict[str, tuple[Any, Any]]

    def __str__(self) -> str:
        """One line for people."""
        said = ", ".join(f"{name} {was} is {now}" for name, (was, now) in self.fields.items())
        return f"{self.account}: {said} when recomputed"


@dataclass(slots=True)
class AuditReport:
    """What an audit found.

    ``checked`` accounts were recomputed, ``different`` of them do not agree, the first of which
    are ``examples``. ``unscored`` accounts have stored interactions but no stored score; while
    scores are being published, a few may be on their way.
    ``accounts_above_1`` and ``score_sum`` (thousandths, of those above 1.0) are the recomputed
    ones. ``at``: moment in ms UTC for which scores were recomputed; nothing was compared then.
    """

    log: int
    at: int | None = None
    checked: int = 0
    different: int = 0
    unscored: int = 0
    accounts_above_1: int = 0
    score_sum: int = 0
    examples: list[Difference] = field(default_factory=list)


def audit(
    db: Database,
    *,
    log: int | None = None,
    account: str | None = None,
    at: int | None = None,
    model: Model | None = None,
) -> AuditReport:
    """Recompute the newest score of every account (or of ``account``) and compare it.

    Only updates are looked at whose rows are stored. ``log``: of which broker log and those that
    it continues, default the newest. With ``at`` (ms UTC) nothing is compared: scores are
    recomputed from what happened before that moment, as of its hour. Raises ``Unavailable`` if
    ClickHouse is away.
    """
    log = newest_log(db) if log is None else log
    report = AuditReport(log, at)
    query = _Query(model or load_model(), tuple(chain_of(db, log)), account)
    limits = _stored_positions(db, query)
    for shard in _shards(db, query):
        if at is None:
            _compare(db, query.points(limits, shard), query, shard, report)
        else:
            _recompute(db, query, at, shard, report)
    if at is None and account is None:
        report.unscored = _unscored(db, query, limits)
    return report


def scores_at(
    db: Database, at: int, *, log: int | None = None, account: str | None = None
) -> dict[str, int]:
    """Account → score in thousandths, recomputed from what happened before ``at`` (ms UTC)."""
    log = newest_log(db) if log is None else log
    query = _Query(load_model(), tuple(chain_of(db, log)), account)
    found: dict[str, int] = {}
    for shard in _shards(db, query):
        scores = query.scores_at(at, shard)
        rows = db.query(f"SELECT account, score FROM ({scores})", query.values)
        found.update((name, int(score)) for name, score in rows)
    return found


@dataclass(frozen=True, slots=True)
class _Query:
    """Texts of the queries for one chain of logs (ascending) and, if given, one account."""

    model: Model
    chain: tuple[int, ...]
    account: str | None

    @property
    def logs(self) -> str:
        """The logs as SQL has a set."""
        return f"({', '.join(map(str, self.chain))})"

    @property
    def values(self) -> dict[str, str] | None:
        return {"account": self.account} if self.account is not None else None

    def rows(self, shard: str, before: int | None = None) -> str:
        """The interactions and own posts of a shard of the accounts, as a subquery."""
        where = self._where("target", shard)
        if before is not None:
            where += f" AND at < fromUnixTimestamp64Milli({before})"
        return f"(SELECT * FROM all_weighed_rows WHERE {where})"

    def points(self, limits: dict[Topic, str], shard: str) -> str:
        """The newest updates of which everything was stored when the audit began."""
        where = self._where("s.profile", shard, "s.log")
        where += f" AND s.weighed_offset < {limits[Topic.WEIGHED]}"
        where += f" AND s.topic_offset < {limits[Topic.SCORES]}"
        return f"({points_sql(self.model, where, joined='')})"

    def scores(self, points: str, rows: str) -> str:
        windows = f"({windows_sql(self.model, points, rows)})"
        return scores_sql(self.model, points, windows)

    def scores_at(self, at: int, shard: str) -> str:
        rows = self.rows(shard, before=at)
        points = (
            "(SELECT account, newest.1 AS log, newest.2 AS position,"
            f" toUInt32({at // _HOUR_MS}) AS now, toUInt8(0) AS level FROM"
            " (SELECT target AS account, max((log, weighed_offset)) AS newest"
            f" FROM {rows} GROUP BY target HAVING countIf(kind != '{POST_NAME}') > 0))"
        )
        return self.scores(points, rows)

    def _where(self, account: str, shard: str, log: str = "log") -> str:
        one = "" if self.account is None else f" AND {account} = %(account)s"
        return f"{log} IN {self.logs}{one} AND {shard.format(account=account)}"


def _shards(db: Database, query: _Query) -> Iterator[str]:
    """Conditions that divide the accounts, so that no query has to hold too many rows at once."""
    rows = db.query(f"SELECT count() FROM interactions_rows WHERE log IN {query.logs}")[0][0]
    count = 1 if query.account is not None else -(-rows // _ROWS_AT_ONCE) or 1
    return (f"cityHash64({{account}}) % {count} = {i}" if count > 1 else "1" for i in range(count))


def _stored_positions(db: Database, query: _Query) -> dict[Topic, str]:
    """Per topic an expression: the next offset to be stored of the partition of a row of scores.

    Taken once, so that all queries of an audit see the same rows while more of them arrive.
    """
    found = db.query(
        f"SELECT log, topic, partition, next_offset FROM sink_position WHERE log IN {query.logs}"
    )
    partitions = 1 + max((partition for _, _, partition, _ in found), default=0)
    expressions = {}
    for topic, column in (
        (Topic.WEIGHED, "s.weighed_partition"), (Topic.SCORES, "s.topic_partition"),
    ):  # fmt: skip
        # one array for all logs: each has ``partitions`` places in it
        stored = {(log, part): offset for log, name, part, offset in found if name == topic.value}
        flat = [stored.get((log, p), 0) for log in query.chain for p in range(partitions)]
        starts = [place * partitions for place in range(len(query.chain))]
        start = f"transform(s.log, {list(query.chain)}, {starts}, 0)"
        expressions[topic] = f"{flat}[1 + {start} + {column}]"
    return expressions


def _compare(db: Database, points: str, query: _Query, shard: str, report: AuditReport) -> None:
    scores = f"({query.scores(points, query.rows(shard))})"
    pairs = ", ".join(f"{name}_stored, {name}_computed" for name in FIELDS)
    row = db.query(
        "SELECT count(), countIf(different), countIf(score_computed > 1000),"
        " sumIf(score_computed, score_computed > 1000),"
        f" groupArrayIf({EXAMPLES})(tuple(account, {pairs}), different)"
        f" FROM ({comparison_sql(points, scores)})",
        query.values,
    )[0]
    report.checked += row[0]
    report.different += row[1]
    report.accounts_above_1 += row[2]
    report.score_sum += row[3]
    for account, *values in row[4]:
        if len(report.examples) < EXAMPLES:
            fields = {
                name: (stored, computed)
                for name, stored, computed in zip(FIELDS, values[::2], values[1::2], strict=True)
                if stored != computed
            }
            report.examples.append(Difference(account, fields))


def _recompute(db: Database, query: _Query, at: int, shard: str, report: AuditReport) -> None:
    checked, above, total = db.query(
        "SELECT count(), countIf(score > 1000), sumIf(score, score > 1000)"
        f" FROM ({query.scores_at(at, shard)})",
        query.values,
    )[0]
    report.checked += checked
    report.accounts_above_1 += above
    report.score_sum += total


def _unscored(db: Database, query: _Query, limits: dict[Topic, str]) -> int:
    """Accounts with rows that some score of their partition includes, but no score of their own."""
    points = query.points(limits, "1")
    return int(
        db.query(
            f"SELECT uniqExact(i.target) FROM {query.rows('1')} AS i INNER JOIN"
            " (SELECT log, weighed_partition, max(position) AS position, max(now) AS now"
            f" FROM {points} GROUP BY log, weighed_partition) AS p"
            " ON i.log = p.log AND i.weighed_partition = p.weighed_partition"
            f" WHERE i.kind != '{POST_NAME}'"
            " AND i.weighed_offset <= p.position AND i.hour <= p.now"
            f" AND i.target NOT IN (SELECT account FROM {points})",
            query.values,
        )[0][0]
    )
