"""Weighing: each record of one source topic-partition is decided once, for everybody downstream."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from schemas.dead_letter import LARGEST_KEPT_BODY, DeadLetter
from schemas.frames import OUTCOMES
from schemas.kinds import POST
from schemas.model import Model
from schemas.topics import SOURCE_TOPICS, Topic
from streams.core.actors import Actors
from streams.core.classes import classify
from streams.core.column_decoder import ColumnDecoder, PostColumnDecoder
from streams.core.days import first_beyond, up_to
from streams.core.decode import Bad, Reason
from streams.core.past import Past, recalled
from streams.core.records import Record, RecordColumns
from streams.core.seen import SeenStore
from streams.core.weighed import Weighed, fetch_of, room_for, roomy, rows_by_partition
from streams.kernels.classes import Known
from streams.kernels.past import recall
from streams.kernels.seen import LARGEST_RECORD
from streams.kernels.weigh import (
    APPLIED,
    CLOCK,
    END,
    INTERACTION,
    MADE_DEAD,
    Fetch,
    Source,
    decide,
)

FORMAT: Final = 3
"""Version of the snapshot."""

LARGEST_KEPT_KEY: Final = 16 * 1024
"""Bytes of a bad record's key that are kept, and of all its headers together: with the body the
dead letter stays far below what a producer may send."""

_MOST_PAST: Final = 8192
"""Rows that are recalled at a time."""

_NOTHING: Final = np.empty(0, np.int32)
_NOBODY_KNOWN: Final = Known(
    _NOTHING,
    np.empty(0, np.int8),
    _NOTHING,
    _NOTHING,
    np.empty(0, np.uint8),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
)

_FULL: Final = Bad(Reason.FULL_RECORD, f"more than {LARGEST_RECORD} interactions of one record")


class WeighSource:
    """The whole state of one source: a pure function of the records up to ``applied``.

    An interaction is ``late`` if its hour lies more than the longest horizon before the hour of
    this clock. Judging that here makes it a function of the source's own prefix, the same in every
    replay, whatever the other sources do. And it loses nothing: the score side's clock is the
    minimum over its sources, so what is late here will be outside of every window there; and what
    is not late here is inside of one when it arrives, unless this source was left behind as idle.

    An own post is a row of its author with itself that weighs nothing. Its source has no say in the
    score side's clock, so a post that is not late here may still be too old there, and is dropped.
    """

    def __init__(
        self, topic: Topic, partition: int, partitions: int, model: Model, horizon: int
    ) -> None:
        """``horizon``: offsets for which ids are remembered at least."""
        self._topic = topic
        self._partition = partition
        self._partitions = partitions
        self._model = model
        self._class = classify(model)
        self._kind = SOURCE_TOPICS.index(topic)
        self._decoder: ColumnDecoder | PostColumnDecoder
        if self._kind == POST:
            self._weight = 0
            self._decoder = PostColumnDecoder(partition, partitions)
        else:
            self._weight = model.kind_weights[self._kind] * model.class_weights[self._class]
            self._decoder = ColumnDecoder(topic, partition, partitions)
        self._seen = SeenStore(horizon)
        self._progress = np.array([-1, 0, horizon], np.int64)
        self._totals = np.zeros(len(OUTCOMES), np.int64)
        self._past: list[tuple[int, Past]] = []
        # The day that must begin before this source goes on; None: it need not wait.
        self.waits_for: int | None = None

    def apply(self, records: Sequence[Record], last: int, actors: Actors | None = None) -> Weighed:
        """Decide ``records`` (ascending offsets); the source is then known up to ``last``.

        Records up to ``applied`` were decided before and are skipped. ``actors``: those of the
        partition, where classes follow from them; then the source stops before the first
        interaction of a later day than theirs, and ``waits_for`` says which one.
        """
        columns = records if isinstance(records, RecordColumns) else RecordColumns.of(records)
        decoded = self._decoder.decode(columns)
        made, fetch, place = room_for(len(columns)), fetch_of(decoded), 0
        known = _NOBODY_KNOWN
        if actors is not None:
            fetch, last = self._up_to_waiting(fetch, last, actors.day)
            gives = (fetch.what == INTERACTION) & ~fetch.self_ & ~fetch.undo
            known = actors.known(self._kind, fetch.engager, gives)
        count = len(fetch.offsets)
        while (place := decide(self._kernel_source(known), fetch, place, made)) < count:
            self._seen.rotate(int(columns.offsets[place]))
            self._seen.reserve(count - place)
            made = roomy(made, count - place)
        self._progress[APPLIED] = max(self.applied, last)
        rows = rows_by_partition(decoded, made, self._kind, self._partitions)
        dead = [
            self._letter(columns[place], decoded.bad.get(place, _FULL))
            for place in made.dead[: made.counts[MADE_DEAD]].tolist()
        ]
        return Weighed(rows, dead)

    def _up_to_waiting(self, fetch: Fetch, last: int, day: int) -> tuple[Fetch, int]:
        """What may be decided on ``day``, and up to which offset that is."""
        place, wanted = first_beyond(fetch, self.clock, self.applied, day)
        self.waits_for = wanted if wanted > day else None
        if self.waits_for is None:
            return fetch, last
        return up_to(fetch, place), int(fetch.offsets[place]) - 1

    def _kernel_source(self, known: Known = _NOBODY_KNOWN) -> Source:
        self._progress[END] = self._seen.end
        return Source(
            self._seen.current,
            self._seen.previous,
            self._progress,
            self._totals,
            self._weight,
            self._class,
            self._model.longest_h,
            known,
        )

    @property
    def applied(self) -> int:
        """The last offset decided, -1 for none."""
        return int(self._progress[APPLIED])

    @property
    def clock(self) -> int:
        """The highest event time of interactions and heartbeats in ms UTC, 0 for none yet."""
        return int(self._progress[CLOCK])

    @property
    def totals(self) -> dict[str, int]:
        """Outcome → number of records since the first offset; a copy.

        A record counts under one outcome, only the undo of a record counts each interaction that
        it takes back.
        """
        return dict(zip(OUTCOMES, self._totals.tolist(), strict=True))

    @property
    def remembered(self) -> int:
        """Number of interactions that would be recognised, counting or not."""
        return len(self._seen)

    def recall(self, offset: int, row: Past) -> None:
        """Remember a row that was given before; offsets ascend, those of one record being equal.

        An undo says all that is needed, so what it took back need not have been recalled. What was
        recalled is there when ``resume`` was called.
        """
        self._past.append((offset, row))
        if len(self._past) >= _MOST_PAST:
            self._recall_past()

    def _recall_past(self) -> None:
        """Tell the store of the rows that wait for it."""
        past = recalled(self._past, self._partitions)
        place = 0
        self._past = []
        while (place := recall(self._kernel_source(), past, place)) < len(past.offsets):
            self._seen.rotate(int(past.offsets[place]))
            self._seen.reserve(len(past.offsets) - place)

    def resume(self, offsets: int, clock: int, applied: int, totals: Mapping[str, int]) -> None:
        """Go on in a log whose offset 0 is what ``recall`` was told as ``offsets``."""
        self._recall_past()
        self._seen.rebase(offsets)
        self._progress[CLOCK] = clock
        self._progress[APPLIED] = applied
        self._totals[:] = [totals.get(outcome, 0) for outcome in OUTCOMES]

    def snapshot(self, number: int, *, whole: bool) -> dict[str, Any]:
        """The state as numbers, texts and bytes, of the seen store what is new since the last one.

        ``whole``: all of the seen store. The same prefix gives the same snapshots.
        """
        return {
            "format": FORMAT,
            "topic": self._topic.value,
            "partition": self._partition,
            "partitions": self._partitions,
            "model": self._model.version,
            "applied": self.applied,
            "clock": self.clock,
            "totals": self.totals,
            "seen": self._seen.snapshot(number, whole=whole),
        }

    @property
    def saved(self) -> int:
        """How many rows the last snapshot held."""
        return self._seen.saved

    def oldest_needed(self, number: int) -> int:
        """The oldest snapshot without which the newest one, ``number``, cannot be restored."""
        return self._seen.oldest_needed(number)

    @classmethod
    def restore(
        cls,
        snapshots: Sequence[tuple[int, Mapping[str, Any]]],
        topic: Topic,
        partition: int,
        partitions: int,
        model: Model,
        horizon: int,
    ) -> "WeighSource":
        """The source as it was at the last of numbered, consecutive ``snapshots``.

        The first of them is not newer than what ``oldest_needed`` said.

        Raises:
            ValueError: a snapshot is of something else.
        """
        _, newest = snapshots[-1]
        for name, held, wanted in (
            ("format", newest["format"], FORMAT),
            ("topic", newest["topic"], topic.value),
            ("partition", newest["partition"], partition),
            ("number of partitions", newest["partitions"], partitions),
            ("score model", newest["model"], model.version),
        ):
            if held != wanted:
                raise ValueError(
                    f"the state of {topic.value} partition {partition} was made with "
                    f"{name} {held}, not {wanted}"
                )
        source = cls(topic, partition, partitions, model, horizon)
        seen = [(number, snapshot["seen"]) for number, snapshot in snapshots]
        source._seen = SeenStore.restore(seen, horizon)
        source.resume(0, newest["clock"], newest["applied"], newest["totals"])
        return source

    def _letter(self, record: Record, bad: Bad) -> DeadLetter:
        """Of a bad record what a person needs and what surely fits into a message."""
        room = LARGEST_KEPT_KEY
        headers = []
        for name, value in record.headers:
            room -= len(name) + len(value or b"")
            if room < 0:
                break
            headers.append((name, value or b""))
        return DeadLetter(
            reason=bad.reason.value,
            detail=bad.detail,
            topic=self._topic.value,
            partition=self._partition,
            offset=record.offset,
            at=record.timestamp,
            key=record.key and record.key[:LARGEST_KEPT_KEY],
            value=record.value and record.value[:LARGEST_KEPT_BODY],
            size=len(record.value or b""),
            headers=tuple(headers),
        )
