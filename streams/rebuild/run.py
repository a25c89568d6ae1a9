"""``renown rebuild``: from the rows in ClickHouse to checkpoints that workers go on from.

1. Nobody may own the states: no worker runs, and the changelogs hold nothing that was ever read on.
2. For each partition the states of weigh and score are made and written, but for their markers.
3. The lineage is stored, if the broker's log is a new one.
4. The markers are written: only now do the states exist.
A rebuild that ends before its last step has changed nothing that counts, and can be run again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from config.broker import log_incarnation
from config.errors import RenownError, WrongUse
from config.settings import ClickHouseAddress, Settings
from schemas.model import load_model
from schemas.topics import SOURCE_TOPICS, Topic
from streams.engine.changelog import Recovered
from streams.engine.snapshots import Snapshot
from streams.engine.statelog import PartitionState
from streams.groups import SCORE_GROUP, SINK_GROUP
from streams.rebuild.changelogs import CHANGELOGS, Changelogs
from streams.rebuild.past import Past
from streams.rebuild.reader import BlockReader
from streams.rebuild.states import Rebuilder
from streams.rebuild.stored import Stored, past_logs
from streams.sinks.client import Database
from streams.sinks.lineage import chain_of, newest_log, store_lineage

_MODEL: Final = 1
"""Version of the score model: of others, the rows do not tell all that a state must know."""
_EPOCHS_UNSEEN: Final = 1_000
"""In a log whose changelog was lost, owners whose updates were never stored may have had epochs
above those that were."""
_SAY_EVERY: Final = 2.0
"""Seconds."""

Say = Callable[[str], None]


@dataclass(slots=True)
class RebuildReport:
    """What was made again.

    ``log`` continues ``continues`` (itself, where only its changelogs were lost). ``rows`` were
    read, ``accounts`` and ``ids`` are in the states, which take ``state_bytes`` in the changelogs.
    ``unmatched``: undos that had met nothing; they are in no row, so an interaction that comes
    after its undo counts if the undo is not sent again.
    """

    log: int
    continues: int
    partitions: int
    accounts: int = 0
    ids: int = 0
    rows: int = 0
    state_bytes: int = 0
    unmatched: int = 0
    seconds: float = 0.0

    @property
    def words(self) -> str:
        """One line for people."""
        return (
            f"{self.accounts:,} accounts and {self.ids:,} interactions to be recognised, from "
            f"{self.rows:,} rows in {self.seconds:.1f} s, in {self.partitions} partitions"
        )


def rebuild_if_new(settings: Settings, say: Say) -> RebuildReport | None:
    """Rebuild if the broker's log is a new one and ClickHouse holds rows of an earlier one.

    Both must be set in ``settings``, the database migrated, the topics made, and no worker may run.
    None if there was nothing to do; that takes no longer than asking.
    """
    address = ClickHouseAddress.parse(settings.clickhouse.get_secret_value())
    with Database(address) as db:
        newest = newest_log(db)
    if not newest or newest == log_incarnation(settings):
        return None
    return rebuild(settings, address, say)


def rebuild(settings: Settings, address: ClickHouseAddress, say: Say) -> RebuildReport:
    """Make the states of all partitions again and write them into the changelogs.

    ``address``: of a database that is migrated; the topics must be made.

    Raises:
        WrongUse: there is nothing to rebuild from or nothing that has to be, or actors must be
            known, whom no row tells of.
        RenownError: workers run, or what the state goes on from is gone.
        Unreachable: the broker or ClickHouse does not answer.
    """
    began = time.monotonic()
    if settings.score_model != _MODEL:
        raise WrongUse(
            f"a state of score model {settings.score_model} cannot be rebuilt: what is known of "
            "actors is in its checkpoints only; set RENOWN_SCORE_MODEL=1 to go on with every "
            "actor ordinary"
        )
    with BlockReader(address) as reader, Database(address) as db:
        log = log_incarnation(settings)
        past = find_past(db, log, settings)
        with Changelogs(settings) as changelogs:
            changelogs.check_idle([SCORE_GROUP, SINK_GROUP])
            found = _unowned(changelogs, settings)
            _check_beginnings(changelogs, past, settings)
            report = RebuildReport(log, past.logs[-1].log, settings.partitions)
            report.unmatched = _unmatched(past)
            _write_states(settings, past, Stored(reader, past), changelogs, found, report, say)
            changelogs.check_idle([SCORE_GROUP, SINK_GROUP])
            if report.continues != log:
                store_lineage(db, log, report.continues)
            changelogs.commit()
    report.seconds = time.monotonic() - began
    return report


def find_past(db: Database, log: int, settings: Settings) -> Past:
    """What is stored of the newest chain, to go on with in ``log``."""
    newest = newest_log(db)
    if newest > log:
        raise RenownError(
            f"ClickHouse at {db.address} holds rows of log {newest}, which is newer than {log} on "
            f"the broker at {settings.kafka}: use the broker that belongs to it, or correct the "
            "clock of this machine and start with new topics"
        )
    past = Past(past_logs(db, chain_of(db, newest)) if newest else [], log, settings.partitions)
    if not past.logs:
        raise WrongUse(
            f"ClickHouse at {db.address} holds no interactions: there is nothing to rebuild, "
            "start the workers"
        )
    if past.same is not None and past.same.partitions != settings.partitions:
        raise WrongUse(
            f"the log on {settings.kafka} had {past.same.partitions} partitions: set "
            f"RENOWN_PARTITIONS={past.same.partitions}, or delete all of its topics first"
        )
    return past


def _unowned(changelogs: Changelogs, settings: Settings) -> dict[tuple[Topic, int], Recovered]:
    """What each changelog holds; raises ``WrongUse`` if that is a state that has read anything."""
    found = {}
    for topic in CHANGELOGS:
        for partition in range(settings.partitions):
            held = found[topic, partition] = changelogs.read(topic, partition)
            if _has_read(changelogs.snapshots(topic, partition, held)):
                raise WrongUse(
                    f"{topic.value} on {settings.kafka} holds the state of partition {partition} "
                    "already: start the workers, they go on from it; to rebuild nevertheless, "
                    f"delete the topics {' and '.join(t.value for t in CHANGELOGS)} first"
                )
    return found


def _has_read(snapshots: list[Snapshot]) -> bool:
    if not snapshots:
        return False
    positions = snapshots[-1].positions
    return positions is None or any(positions.values())


def _check_beginnings(changelogs: Changelogs, past: Past, settings: Settings) -> None:
    """Raise ``RenownError`` if records are gone that were not read when the rows were stored."""
    wanted = {(Topic(topic), p): past.cut((topic, p)) + 1 for topic, p in past.sources}
    wanted |= {(Topic.WEIGHED, p): past.position(p) + 1 for p in range(past.partitions)}
    for topic in (*SOURCE_TOPICS, Topic.WEIGHED):
        for partition, first in changelogs.beginnings(topic, past.partitions).items():
            if first > wanted[topic, partition] and not settings.accept_loss:
                raise RenownError(
                    f"{topic.value} partition {partition} on {settings.kafka} begins at offset "
                    f"{first}, but what is stored ends before {wanted[topic, partition]}: what "
                    "lies between is gone; RENOWN_ACCEPT_LOSS=true goes on without it"
                )


def _unmatched(past: Past) -> int:
    """Undos that met nothing, in all logs."""
    totals: dict[tuple[int, object], int] = {}
    for each in past.logs:
        for (_, source), progress in each.told.items():
            key = each.log, source
            totals[key] = max(totals.get(key, 0), progress.totals.get("unmatched", 0))
    return sum(totals.values())


def _write_states(
    settings: Settings,
    past: Past,
    stored: Stored,
    changelogs: Changelogs,
    found: dict[tuple[Topic, int], Recovered],
    report: RebuildReport,
    say: Say,
) -> None:
    epoch = 0 if past.same is None else stored.newest_epoch() + _EPOCHS_UNSEEN
    stage, said_at = "", time.monotonic()

    def tell(rows: int) -> None:
        nonlocal said_at
        report.rows += rows
        if time.monotonic() - said_at > _SAY_EVERY:
            said_at = time.monotonic()
            say(f"rebuild     {stage}, {report.rows:,} rows read")

    def write(topic: Topic, partition: int, state: PartitionState) -> None:
        held = found[topic, partition]
        report.state_bytes += changelogs.write(
            topic, partition, state, held, epoch, settings.partitions
        )

    rebuilder = Rebuilder(past, stored, load_model(_MODEL), settings.seen_horizon, tell)
    for partition in range(past.partitions):
        stage = f"weigh, partition {partition + 1} of {past.partitions}"
        weigh = rebuilder.weigh(partition)
        report.ids += weigh.remembered
        write(Topic.WEIGH_CHANGELOG, partition, weigh)
        stage = f"score, partition {partition + 1} of {past.partitions}"
        score = rebuilder.score(
            partition, once=settings.once, exact_engagers=settings.counts_exactly
        )
        report.accounts += score.accounts
        write(Topic.SCORE_CHANGELOG, partition, score)
