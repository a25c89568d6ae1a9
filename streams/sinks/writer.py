"""The sink's writer: what was read of ``weighed``, ``scores`` and ``dead-letters`` → ClickHouse.

The order of a flush is what makes a crash invisible:
  1. the rows of every table;
  2. the progress of every topic partition that moved, each with its sources' positions.
Rows that were stored without their progress are removed when the partition is claimed the next
time, then read and stored again; the sort keys of the tables would make them collapse anyhow.
Progress carries the number of its claim, so a reader that lost the partition but still writes
cannot overrule the one that has it now.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry

from config.settings import ClickHouseAddress
from schemas.topics import Topic
from streams.core.records import NULL, RecordColumns
from streams.engine.crash_points import Point, reach
from streams.metrics.common import SINK
from streams.metrics.sink import Flushed, SinkMetrics
from streams.sinks import rows
from streams.sinks.client import Database
from streams.sinks.migrate import check_columns, check_migrated
from streams.sinks.progress import Progress
from streams.sinks.score_rows import ScoreRows, read_scores, score_columns
from streams.sinks.tables import DEAD_LETTERS, INTERACTIONS, PROGRESS, SCORES

TopicPartition = tuple[Topic, int]
Longs = npt.NDArray[np.int64]

_ANSWER_SECONDS: Final = 30
_CLAIM_RANDOM_BITS: Final = 20
_BEYOND: Final[dict[Topic, tuple[str, str, str]]] = {
    Topic.WEIGHED: (INTERACTIONS, "weighed_partition", "weighed_offset"),
    Topic.SCORES: (SCORES, "topic_partition", "topic_offset"),
    Topic.DEAD_LETTERS: (DEAD_LETTERS, "letter_partition", "letter_offset"),
}
"""Per topic, the table that it fills and the columns that say where a row was read."""


@dataclass(slots=True)
class _Claimed:
    """A topic partition that is being read, and what of it waits to be stored."""

    progress: Progress
    begins_late: bool = False
    accept_loss: bool = False
    moved: bool = False
    pending: int = 0
    frames: list[rows.PlacedFrame] = field(default_factory=list)
    scores: list[ScoreRows] = field(default_factory=list)
    letters: list[rows.PlacedLetter] = field(default_factory=list)

    def forget_rows(self) -> None:
        """They are stored, and so is the progress that says so."""
        self.moved, self.pending = False, 0
        self.frames.clear()
        self.scores.clear()
        self.letters.clear()


class Writer:
    """Buffers records and stores them; the caller decides when. One thread at a time.

    ``pending``: rows that wait. ``unreadable``: records that became dead letters here.
    """

    def __init__(
        self,
        address: ClickHouseAddress,
        log: int,
        *,
        accept_loss: bool = False,
        metrics: SinkMetrics | None = None,
    ) -> None:
        """``log``: identity of the broker's log that the offsets belong to.

        ``accept_loss``: go on behind frames that are missing, counting what they covered.
        ``metrics``: told of what is stored.
        """
        self._metrics = metrics or SinkMetrics(CollectorRegistry())
        self._accept_loss = accept_loss
        self.pending = 0
        self.unreadable = 0
        self._log = log
        self._db = Database(address, answer_seconds=_ANSWER_SECONDS)
        self._claimed: dict[TopicPartition, _Claimed] = {}

    @property
    def holes(self) -> int:
        """Frames passed over so far, in the partitions that are claimed now."""
        return sum(claimed.progress.holes for claimed in self._claimed.values())

    @property
    def lost(self) -> int:
        """Source offsets given up since the last claim."""
        return sum(claimed.progress.lost for claimed in self._claimed.values())

    def open(self) -> None:
        """Connect and check the database.

        Raises ``Unavailable`` if it is away, ``MigrationError`` or another ``RenownError`` if it
        is not as this version needs it.
        """
        check_migrated(self._db)
        check_columns(self._db)

    def close(self) -> None:
        """Close the connection; what waits is lost here and will be read again."""
        self._claimed.clear()
        self.pending = 0
        self._db.close()

    def claim(self, topic: Topic, partition: int, *, begins_late: bool = False) -> int:
        """Take over a topic partition; returns the next offset to read.

        ``begins_late``: its log no longer starts at offset 0. Removes rows that are stored beyond
        the offset. Raises ``Unavailable`` if ClickHouse is away; then nothing is claimed.
        """
        self.release(topic, partition)
        progress = self._load(topic, partition)
        progress.claim = _following(progress.claim)
        # From here on only this claim's progress counts, so what it removes it stores again.
        self._store_progress([(topic, partition, progress)])
        self._remove_beyond(topic, partition, progress.next_offset)
        self._claimed[topic, partition] = _Claimed(
            progress, begins_late=begins_late, accept_loss=self._accept_loss
        )
        return progress.next_offset

    def release(self, topic: Topic, partition: int) -> None:
        """Give a topic partition up; what of it was not flushed is dropped."""
        if claimed := self._claimed.pop((topic, partition), None):
            self.pending -= claimed.pending

    def add(self, topic: Topic, partition: int, records: RecordColumns, last: int) -> None:
        """Buffer the records of a claimed partition up to offset ``last``.

        Records before the next offset and tombstones are passed over. A record that cannot be read
        becomes a dead letter.
        """
        claimed = self._claimed[topic, partition]
        progress = claimed.progress
        holes = progress.holes
        new = (records.offsets >= progress.next_offset) & (records.value_sizes != NULL)
        count, bad = _READERS[topic](claimed, partition, records, np.flatnonzero(new))
        for place, error in bad:
            claimed.letters.append(rows.unreadable(topic, partition, records[place], error))
        self.unreadable += len(bad)
        claimed.pending += count + len(bad)
        self.pending += count + len(bad)
        self._metrics.holes.labels(SINK).inc(progress.holes - holes)
        if last >= progress.next_offset:
            progress.next_offset = last + 1
            claimed.moved = True

    def flush(self) -> dict[TopicPartition, int]:
        """Store what waits; returns the next offset of every partition that moved.

        Raises ``Unavailable`` if ClickHouse is away. What waits is kept then, and the next flush
        tries again; if rows were stored already, the repeated ones collapse.
        """
        every = self._claimed.values()
        flushed = Flushed()
        reach(Point.SINK_INSERTING)
        if frames := [placed for claimed in every for placed in claimed.frames]:
            columns = rows.interaction_columns(frames, self._log)
            with self._metrics.insert(INTERACTIONS):
                flushed.rows[Topic.WEIGHED] = self._db.insert(INTERACTIONS, columns)
            flushed.interactions = [columns]
        if scores := [part for claimed in every for part in claimed.scores]:
            columns = score_columns(scores, self._log)
            with self._metrics.insert(SCORES):
                flushed.rows[Topic.SCORES] = self._db.insert(SCORES, columns)
        if letters := [placed for claimed in every for placed in claimed.letters]:
            lists = rows.letter_columns(letters, self._log)
            with self._metrics.insert(DEAD_LETTERS):
                self._db.insert_lists(DEAD_LETTERS, lists)
            own = [Topic(placed.letter.topic) for placed in letters if placed.offset < 0]
            flushed.unreadable.update(own)
            flushed.rows[Topic.DEAD_LETTERS] = len(letters) - len(own)
        reach(Point.SINK_DATA_INSERTED)
        moved = {key: claimed for key, claimed in self._claimed.items() if claimed.moved}
        self._store_progress([(*key, claimed.progress) for key, claimed in moved.items()])
        reach(Point.SINK_PROGRESS_INSERTED)
        for claimed in every:
            claimed.forget_rows()
        self._metrics.flushed(flushed)
        self.pending = 0
        return {key: claimed.progress.next_offset for key, claimed in moved.items()}

    def _load(self, topic: Topic, partition: int) -> Progress:
        names = ", ".join(Progress().values())
        found = self._db.query(
            f"SELECT {names} FROM {PROGRESS} FINAL"  # noqa: S608
            " WHERE log = %(log)s AND topic = %(topic)s AND partition = %(partition)s"
            " ORDER BY claim DESC LIMIT 1",
            {"log": self._log, "topic": topic.value, "partition": partition},
        )
        return Progress.of_values(found[0]) if found else Progress()

    def _store_progress(self, progress: list[tuple[Topic, int, Progress]]) -> None:
        if not progress:
            return
        values = [each.values() for _, _, each in progress]
        columns: dict[str, list[Any]] = {
            "log": [self._log] * len(progress),
            "topic": [topic.value for topic, _, _ in progress],
            "partition": [partition for _, partition, _ in progress],
            **{name: [each[name] for each in values] for name in values[0]},
        }
        self._db.insert_lists(PROGRESS, columns)

    def _remove_beyond(self, topic: Topic, partition: int, next_offset: int) -> None:
        table, partition_column, offset_column = _BEYOND[topic]
        where = (
            f"WHERE log = {self._log} AND {partition_column} = {partition}"
            f" AND {offset_column} >= {next_offset}"
        )
        if self._db.query(f"SELECT count() FROM {table} {where}")[0][0]:  # noqa: S608
            self._db.run(f"ALTER TABLE {table} DELETE {where} SETTINGS mutations_sync = 2")


def _following(claim: int) -> int:
    """A claim after ``claim``; the random part tells apart two that are made at the same time."""
    count = (claim >> _CLAIM_RANDOM_BITS) + 1
    return count << _CLAIM_RANDOM_BITS | secrets.randbits(_CLAIM_RANDOM_BITS)


Bad = list[tuple[int, ValueError]]
"""Records that cannot be read, with the reason."""


def _read_frames(
    claimed: _Claimed, partition: int, records: RecordColumns, wanted: Longs
) -> tuple[int, Bad]:
    """Keep what is new in the ``wanted`` frames; returns its rows."""
    count, bad = 0, []
    for place in wanted.tolist():
        try:
            frame = rows.read_frame(records.value(place) or b"")
        except ValueError as error:
            bad.append((place, error))
            continue
        new = claimed.progress.take(
            frame, begins_late=claimed.begins_late, accept_loss=claimed.accept_loss
        )
        if new:
            offset = int(records.offsets[place])
            claimed.frames.append(rows.PlacedFrame(new, partition, offset))
            count += len(new)
    return count, bad


def _read_scores(
    claimed: _Claimed, partition: int, records: RecordColumns, wanted: Longs
) -> tuple[int, Bad]:
    """Keep the ``wanted`` updates; returns their number."""
    read, bad = read_scores(records, wanted, partition)
    if len(read):
        claimed.scores.append(read)
    return len(read), bad


def _read_letters(
    claimed: _Claimed, partition: int, records: RecordColumns, wanted: Longs
) -> tuple[int, Bad]:
    """Keep the ``wanted`` dead letters; returns their number."""
    bad: Bad = []
    for place in wanted.tolist():
        try:
            letter = rows.read_letter(records.value(place) or b"")
        except ValueError as error:
            bad.append((place, error))
            continue
        offset = int(records.offsets[place])
        claimed.letters.append(rows.PlacedLetter(letter, partition, offset))
    return len(wanted) - len(bad), bad


_READERS: Final[dict[Topic, Callable[[_Claimed, int, RecordColumns, Longs], tuple[int, Bad]]]] = {
    Topic.WEIGHED: _read_frames,
    Topic.SCORES: _read_scores,
    Topic.DEAD_LETTERS: _read_letters,
}
