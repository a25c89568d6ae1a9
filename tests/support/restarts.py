"""Runs of a file in parts, each with an embedded broker that knows nothing of the one before."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from agents.formats import Format
from agents.report import ReplayReport
from config.broker import log_incarnation
from config.settings import ClickHouseAddress
from renown.audit import AuditReport, audit
from renown.queries import RunReport, run_report
from renown.run.options import Play
from renown.run.player import Player
from renown.run.report import Figures
from renown.run.stack import Stack
from streams.rebuild.run import RebuildReport, rebuild_if_new
from streams.sinks.client import Database
from tests.support import flow
from tests.support.stack import wait_until

TOP = 10


class RebuildingStack(Stack):
    """A stack that remembers what it went on with."""

    rebuilt: RebuildReport | None = None

    def _go_on(self) -> None:
        self.rebuilt = rebuild_if_new(self.settings, flow.say)


@dataclass(frozen=True)
class Part:
    """What came of one part."""

    replay: ReplayReport
    rebuilt: RebuildReport | None
    leaders_at_start: list[tuple[str, int]]
    figures: RunReport
    audited: AuditReport


def cut(path: Path, folder: Path, count: int) -> list[Path]:
    """A file (gzip) as several, cut between moments: lines of one moment may belong together."""
    with gzip.open(path, "rt", encoding="utf-8", errors="surrogateescape") as file:
        lines = file.readlines()
    cuts = [0]
    for number in range(1, count):
        place = len(lines) * number // count
        while _moment(lines[place]) == _moment(lines[place - 1]):
            place += 1
        cuts.append(place)
    parts = []
    for first, last in pairwise([*cuts, len(lines)]):
        part = folder / f"{first}-{path.name}"
        with gzip.open(part, "wt", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(lines[first:last])
        parts.append(part)
    return parts


def _moment(line: str) -> str:
    """The third word of four, which is the time in the data sets of SNAP; else the line itself."""
    words = line.split()
    return words[2] if len(words) == 4 else line


def run_parts(
    folder: Path,
    parts: Sequence[Path],
    format: Format,
    partitions: Sequence[int],
    exact_engagers: bool | None = None,
) -> list[Part]:
    """Play each part to its end with a stack of its own; the ClickHouse is the same."""
    done = []
    for path, count in zip(parts, partitions, strict=True):
        settings = flow.settings_for(folder, exact_engagers=exact_engagers).model_copy(
            update={"partitions": count, "once": True}
        )
        with RebuildingStack(settings, folder / "kept", say=flow.say) as stack:
            with _database(stack) as db:
                sql = f"SELECT profile, score FROM leaderboard ORDER BY rank LIMIT {TOP}"
                leaders = db.query(sql)
            report = play(stack, Play(path, format))
            done.append(figures_of(stack, report, stack.rebuilt, leaders))
    return done


def play(stack: Stack, what: Play, *, wait: bool = True) -> ReplayReport:
    """Play a file; ``wait``: until all that follows from it is stored."""
    if wait:
        return flow.play(stack, what, stack.watch)
    player = Player(stack.settings, what)
    try:
        player.start()
        wait_until(lambda: not player.playing, 60, "the end of the file")
    finally:
        player.stop()
    return player.report


def figures_of(
    stack: Stack,
    replay: ReplayReport | None = None,
    rebuilt: RebuildReport | None = None,
    leaders: Sequence[tuple[str, int]] = (),
) -> Part:
    """What is stored now."""
    with _database(stack) as db:
        figures = run_report(db, log_incarnation(stack.settings), TOP)
        return Part(replay or ReplayReport(), rebuilt, list(leaders), figures, audit(db))


def _database(stack: Stack) -> Database:
    return Database(ClickHouseAddress.parse(stack.settings.clickhouse.get_secret_value()))


def check_same(part: Part, whole: Figures) -> None:
    """All that is stored is what one run gives."""
    figures, audited = part.figures, part.audited
    assert figures.accepted == whole.accepted
    assert (figures.totals["duplicate"], figures.totals["late"]) == (whole.duplicates, whole.late)
    assert (figures.totals["undone"], figures.totals["unmatched"]) == (
        whole.undone,
        whole.unmatched,
    )
    assert figures.rows["interactions"] == whole.rows["interactions"]
    assert figures.rows["dead_letters"] == whole.dead
    assert figures.accounts_scored == whole.accounts_scored
    assert figures.accounts_above_1 == whole.accounts_above_1
    assert figures.score_sum == whole.score_sum
    assert [{"account": account, "score": score} for account, score in figures.top] == whole.top
    assert (audited.checked, audited.different, audited.unscored) == (whole.accounts_scored, 0, 0)
