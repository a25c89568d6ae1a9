"""Weighing: each record of one source topic-partition is decided once, for everybody downstream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from schemas.dead_letter import LARGEST_KEPT_BODY, DeadLetter
from schemas.frames import OUTCOMES
from schemas.hashing import hash64
from schemas.interaction import Heartbeat, Interaction
from schemas.kinds import KIND_INDEX
from schemas.model import Model
from schemas.networks import NETWORK_INDEX
from schemas.partitioner import partition_of
from schemas.topics import Topic
from streams.core.classes import classify
from streams.core.decode import Bad, Decoder, Reason
from streams.core.records import Record
from streams.core.seen import LARGEST_RECORD, Entry, SeenStore, Verdict

Row = tuple[Any, ...]
"""One weighed interaction, its values in the order of ``ROW_SCHEMA``."""

FORMAT: Final = 2
"""Version of the snapshot."""

LARGEST_KEPT_KEY: Final = 16 * 1024
"""Bytes of a bad record's key that are kept, and of all its headers together: with the body the
dead letter stays far below what a producer may send."""

_HOUR_MS: Final = 3_600_000
_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF
_ODD: Final = 0x9E37_79B9_7F4A_7C15


class Past(NamedTuple):
    """A row as it was stored, as far as it matters to what comes; see ``ROW_SCHEMA``."""

    at: int
    target: str
    network: int
    class_: int
    weight: int
    amount: int
    undo: bool
    engager: int
    id: int
    record: int
    undone_at: int
    whole_record: bool


@dataclass(frozen=True, slots=True)
class Weighed:
    """What became of a batch. ``rows[q]``: rows for target partition q, by offset and part."""

    rows: list[list[Row]]
    dead: list[DeadLetter]


class WeighSource:
    """The whole state of one source: a pure function of the records up to ``applied``.

    ``applied``: the last offset decided, -1 for none. ``clock``: the highest event time of its
    interactions and heartbeats in ms UTC, 0 for none yet. ``totals``: outcome → number, running
    since the first offset. A record counts under one outcome, only the undo of a record counts
    each interaction that it takes back.

    An interaction is ``late`` if its hour lies more than the longest horizon before the hour of
    this clock. Judging that here makes it a function of the source's own prefix, the same in every
    replay, whatever the other sources do. And it loses nothing: the score side's clock is the
    minimum over its sources, so what is late here will be outside of every window there; and what
    is not late here is inside of one when it arrives, unless this source was left behind as idle.
    """

    def __init__(
        self, topic: Topic, partition: int, partitions: int, model: Model, horizon: int
    ) -> None:
        """``horizon``: offsets for which ids are remembered at least."""
        self.applied = -1
        self.clock = 0
        self.totals: dict[str, int] = dict.fromkeys(OUTCOMES, 0)
        self._topic = topic
        self._partition = partition
        self._partitions = partitions
        self._model = model
        self._seen = SeenStore(horizon)
        self._decoder = Decoder(topic, partition, partitions)
        self._kind = KIND_INDEX[topic.value.removeprefix("interactions.")]

    def apply(self, records: Sequence[Record], last: int) -> Weighed:
        """Decide ``records`` (ascending offsets); the source is then known up to ``last``.

        Records up to ``applied`` were decided before and are skipped.
        """
        weighed = Weighed([[] for _ in range(self._partitions)], [])
        for record in records:
            if record.offset <= self.applied:
                continue
            self.applied = record.offset
            message = self._decoder.decode(record.value, record.timestamp)
            if isinstance(message, Interaction):
                self.clock = max(self.clock, message.at)
                if message.actor == message.target:
                    self.totals["self"] += 1
                elif message.undo:
                    self._undo(record.offset, message, weighed)
                else:
                    self._add(record, message, weighed)
            elif isinstance(message, Heartbeat):
                self.clock = max(self.clock, message.clock)
                self.totals["heartbeat"] += 1
            else:
                self._bury(record, message, weighed)
        self.applied = max(self.applied, last)
        return weighed

    @property
    def remembered(self) -> int:
        """Number of interactions that would be recognised, counting or not."""
        return len(self._seen)

    def recall(self, offset: int, row: Past) -> None:
        """Remember a row that was given before; offsets ascend, those of one record being equal.

        An undo says all that is needed, so what it took back need not have been recalled.
        """
        key = row.id ^ (row.engager * _ODD & _MASK)
        if self._seen.admit(offset, key, row.record, row.at) is Verdict.NEW:
            self._seen.keep(
                key, row.at, row.target, row.network, row.class_, row.weight, row.amount, row.record
            )
        if row.undo:
            self._seen.undo(offset, key, row.undone_at)
            if row.whole_record:
                self._seen.undo_record(offset, row.record, row.undone_at)

    def resume(self, offsets: int, clock: int, applied: int, totals: Mapping[str, int]) -> None:
        """Go on in a log whose offset 0 is what ``recall`` was told as ``offsets``."""
        self._seen.rebase(offsets)
        self.clock = clock
        self.applied = applied
        self.totals.update(totals)

    def snapshot(self) -> dict[str, Any]:
        """The state as numbers, texts and bytes; the same prefix gives the same snapshot."""
        return {
            "format": FORMAT,
            "topic": self._topic.value,
            "partition": self._partition,
            "partitions": self._partitions,
            "model": self._model.version,
            "applied": self.applied,
            "clock": self.clock,
            "totals": dict(self.totals),
            "seen": self._seen.snapshot(),
        }

    @classmethod
    def restore(
        cls,
        snapshot: Mapping[str, Any],
        topic: Topic,
        partition: int,
        partitions: int,
        model: Model,
        horizon: int,
    ) -> "WeighSource":
        """The source as it was at ``snapshot``; ``ValueError`` if that is of something else."""
        for name, held, wanted in (
            ("format", snapshot["format"], FORMAT),
            ("topic", snapshot["topic"], topic.value),
            ("partition", snapshot["partition"], partition),
            ("number of partitions", snapshot["partitions"], partitions),
            ("score model", snapshot["model"], model.version),
        ):
            if held != wanted:
                raise ValueError(
                    f"the state of {topic.value} partition {partition} was made with "
                    f"{name} {held}, not {wanted}"
                )
        source = cls(topic, partition, partitions, model, horizon)
        source.applied = snapshot["applied"]
        source.clock = snapshot["clock"]
        source.totals.update(snapshot["totals"])
        source._seen = SeenStore.restore(snapshot["seen"], horizon)
        return source

    def _add(self, record: Record, message: Interaction, weighed: Weighed) -> None:
        actor, at, target = message.actor, message.at, message.target or ""
        engager, salt = _actor(actor)
        identity = hash64(message.id)
        record_hash = hash64(f"{actor} {message.record}") if message.record else 0
        verdict = self._seen.admit(record.offset, identity ^ salt, record_hash, at)
        if verdict is Verdict.FULL:
            detail = f"more than {LARGEST_RECORD} interactions of one record"
            self._bury(record, Bad(Reason.FULL_RECORD, detail), weighed)
            return
        if verdict is not Verdict.NEW:
            self.totals[verdict.value] += 1
            return
        if at // _HOUR_MS < self.clock // _HOUR_MS - self._model.longest_h:
            self.totals["late"] += 1
            return
        class_ = classify(self._model)
        weight = (
            self._model.kind_weights[self._kind]
            * self._model.class_weights[class_]
            * message.amount
        )
        network = NETWORK_INDEX[message.network]
        self._seen.keep(
            identity ^ salt, at, target, network, class_, weight, message.amount, record_hash
        )
        self.totals["accepted"] += 1
        weighed.rows[partition_of(target, self._partitions)].append(
            (
                record.offset,
                0,
                at,
                message.received_at,
                self._kind,
                network,
                actor,
                target,
                message.object,
                class_,
                weight,
                message.amount,
                False,
                engager,
                identity,
                record_hash,
                0,
                False,
            )
        )

    def _undo(self, offset: int, message: Interaction, weighed: Weighed) -> None:
        engager, salt = _actor(message.actor)
        retracted: list[tuple[int, Entry]]
        whole_record = bool(message.record) and message.target is None
        if whole_record:
            record_hash = hash64(f"{message.actor} {message.record}")
            retracted = self._seen.undo_record(offset, record_hash, message.at)
        else:
            key = hash64(message.id) ^ salt
            entry = self._seen.undo(offset, key, message.at)
            retracted = [] if entry is None else [(key, entry)]
        for part, (key, entry) in enumerate(retracted):
            weighed.rows[partition_of(entry.target, self._partitions)].append(
                (
                    offset,
                    part,
                    entry.at,
                    message.received_at,
                    self._kind,
                    entry.network,
                    message.actor,
                    entry.target,
                    # The object is not kept for the sake of memory: an undo of a record may
                    # concern several, one of a single interaction says it itself or does not.
                    message.object if message.target else None,
                    entry.class_,
                    entry.weight,
                    entry.amount,
                    True,
                    engager,
                    key ^ salt,
                    entry.record,
                    message.at,
                    whole_record,
                )
            )
        self.totals["undone"] += len(retracted)
        self.totals["unmatched"] += not retracted

    def _bury(self, record: Record, bad: Bad, weighed: Weighed) -> None:
        """Keep of a bad record what a person needs and what surely fits into a message."""
        self.totals["dead"] += 1
        room = LARGEST_KEPT_KEY
        headers = []
        for name, value in record.headers:
            room -= len(name) + len(value or b"")
            if room < 0:
                break
            headers.append((name, value or b""))
        weighed.dead.append(
            DeadLetter(
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
        )


@lru_cache(maxsize=1 << 16)
def _actor(actor: str) -> tuple[int, int]:
    """Hash of an actor, and the number that turns a hash of an id into the key of the store.

    The key stands for id and actor together: nobody can retract or forestall what another actor
    did, and what counts does not depend on which actors share a partition. As XOR goes both ways,
    the store needs no second number to tell the hash of the id again.
    """
    hashed = hash64(actor)
    return hashed, hashed * _ODD & _MASK
