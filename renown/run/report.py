"""The figures of a run that ended: one JSON object, and the same in words."""

from dataclasses import asdict, dataclass, field
from typing import Any

from agents.report import ReplayReport
from renown.audit import AuditReport
from renown.queries import RunReport


@dataclass(slots=True)
class RunTimes:
    """Seconds.

    ``start``: until the stack stood; ``first_row``: from the command's start to the first row in
    ClickHouse; ``flow``: from the first record published until everything was stored; ``audit``:
    the audit.
    """

    start: float = 0.0
    first_row: float | None = None
    flow: float = 0.0
    audit: float = 0.0


@dataclass(slots=True)
class Figures:
    """What ``--once --json`` prints. Scores and ``score_sum`` are thousandths of a point."""

    read: int
    accepted: dict[str, int]
    folded: int
    self: int
    duplicates: int
    late: int
    undone: int
    unmatched: int
    dead: int
    rows: dict[str, int]
    accounts_scored: int
    accounts_above_1: int
    score_sum: int
    top: list[dict[str, Any]]
    seconds: float
    events_per_second: int
    audit: dict[str, int]
    times: dict[str, float | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls, replay: ReplayReport, run: RunReport, audit: AuditReport, times: RunTimes
    ) -> "Figures":
        """Put together what the replay read, what is stored and what the audit found."""
        return cls(
            read=replay.read,
            accepted=run.accepted,
            folded=replay.folded,
            self=replay.self_dropped + run.totals["self"],
            duplicates=run.totals["duplicate"],
            late=run.totals["late"],
            undone=run.totals["undone"],
            unmatched=run.totals["unmatched"],
            dead=run.totals["dead"],
            rows=run.rows,
            accounts_scored=run.accounts_scored,
            accounts_above_1=run.accounts_above_1,
            score_sum=run.score_sum,
            top=[{"account": account, "score": score} for account, score in run.top],
            seconds=round(times.flow, 2),
            events_per_second=round(replay.read / times.flow) if times.flow else 0,
            audit={
                "checked": audit.checked,
                "different": audit.different,
                "unscored": audit.unscored,
            },
            times={name: None if s is None else round(s, 2) for name, s in asdict(times).items()},
        )

    @property
    def sound(self) -> bool:
        """Whether every stored score follows from the stored interactions."""
        return self.audit["different"] == 0 and self.audit["unscored"] == 0

    def words(self) -> list[str]:
        """For people, a line each."""
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.accepted.items() if count)
        rest = {
            "folded": self.folded,
            "self": self.self,
            "duplicates": self.duplicates,
            "undone": self.undone,
            "unmatched undos": self.unmatched,
            "late": self.late,
            "dead letters": self.dead,
        }
        others = ", ".join(f"{count:,} {name}" for name, count in rest.items() if count)
        return [
            f"read        {self.read:,} lines in {self.seconds:.1f} s, "
            f"{self.events_per_second:,} a second from file to ClickHouse",
            f"accepted    {sum(self.accepted.values()):,}: {kinds or 'none'}",
            f"besides     {others or 'nothing'}",
            "rows        " + ", ".join(f"{name} {count:,}" for name, count in self.rows.items()),
            f"scores      {self.accounts_scored:,} accounts, {self.accounts_above_1:,} above 1.0",
            f"audit       {self.audit['checked']:,} scores recomputed in SQL, "
            f"{self.audit['different']:,} different",
        ]
