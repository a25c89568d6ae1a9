"""What the records of one fetch of a source topic say, in columns."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from schemas.hashing import hash64
from schemas.interaction import Heartbeat, Interaction
from schemas.networks import NETWORK_INDEX
from schemas.partitioner import partition_of
from schemas.post import Post
from streams.core.decode import Bad
from streams.core.records import Bytes, Longs, RecordColumns

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Small = npt.NDArray[np.uint8]

INTERACTION, HEARTBEAT, BAD = 0, 1, 2
"""What a record is."""


class PlainDecoder(Protocol):
    """Says what one record is, from its value and its time of publishing in ms; never raises."""

    def decode(  # noqa: D102
        self, value: bytes | None, timestamp: int
    ) -> Interaction | Post | Heartbeat | Bad: ...


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Texts as places in ``Decoded.data``: int64[n] each; a size of -1 stands for no text."""

    places: Longs
    sizes: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """One entry a record, in the order of the records; columns have the length of all of them.

    An own post reads as an interaction of its author with itself, of which ``self_`` says nothing.
    ``what``: INTERACTION, HEARTBEAT or BAD; what a record is not, its columns leave undefined.
    ``data``: the buffer of the texts ``actor``, ``target`` and ``object`` (which may be missing).
    ``at``: event time in ms, of a heartbeat its clock; ``received_at``, ``amount``: int64.
    ``network``: index in NETWORKS. ``self_``: actor and target are the same. ``undo``; whether it
    is one. ``id``, ``engager``, ``record``: ``hash64`` of the id, the actor, and "actor record"
    (0: no record). ``target_partition``: of the target (0 without). ``bad``: why, by place.
    """

    data: Bytes
    offsets: Longs
    what: Small
    at: Longs
    received_at: Longs
    amount: Longs
    network: Small
    undo: Flags
    self_: Flags
    id: Hashes
    engager: Hashes
    record: Hashes
    actor: Spans
    target: Spans
    object: Spans
    target_partition: Longs
    bad: dict[int, Bad]

    def __len__(self) -> int:
        """Number of records."""
        return len(self.offsets)


def blank(data: Bytes, offsets: Longs) -> Decoded:
    """Columns for records at ``offsets``, to be filled in; every text is missing."""
    count = len(offsets)
    at, received_at, amount, target_partition, *places = np.zeros((7, count), np.int64)
    id_, engager, record = np.zeros((3, count), np.uint64)
    actor, target, object_ = map(Spans, places, np.full((3, count), -1, np.int64))
    what, network = np.zeros((2, count), np.uint8)
    undo, self_ = np.zeros((2, count), np.bool_)
    return Decoded(
        data=data,
        offsets=offsets,
        what=what,
        at=at,
        received_at=received_at,
        amount=amount,
        network=network,
        undo=undo,
        self_=self_,
        id=id_,
        engager=engager,
        record=record,
        actor=actor,
        target=target,
        object=object_,
        target_partition=target_partition,
        bad={},
    )


def decode_plain(records: RecordColumns, decoder: PlainDecoder, partitions: int) -> Decoded:
    """The plain way, one record after the other: what every quicker way must agree with."""
    data = np.empty(0, np.uint8)
    data.setflags(write=False)  # kernels are compiled for buffers that nobody writes
    result = blank(data, records.offsets)
    return decide(result, range(len(records)), records, decoder, partitions)


def decide(
    columns: Decoded,
    places: Iterable[int],
    records: RecordColumns,
    decoder: PlainDecoder,
    partitions: int,
) -> Decoded:
    """``columns`` with the verdict of ``decoder`` on the records at ``places``."""
    texts = bytearray()
    start = len(columns.data)
    for place in places:
        published = int(records.timestamps[place])
        message = decoder.decode(records.value(place), published)
        if isinstance(message, Bad):
            columns.what[place], columns.bad[place] = BAD, message
        elif isinstance(message, Heartbeat):
            columns.what[place], columns.at[place] = HEARTBEAT, message.clock
        elif isinstance(message, Post):
            _put_post(columns, place, message, published, texts, start, partitions)
        else:
            _put(columns, place, message, texts, start, partitions)
    if not texts:
        return columns
    data = np.concatenate((columns.data, np.frombuffer(texts, np.uint8)))
    data.setflags(write=False)  # as where nothing was added: kernels are compiled for one of them
    return replace(columns, data=data)


def _put(
    columns: Decoded,
    place: int,
    message: Interaction,
    texts: bytearray,
    start: int,
    partitions: int,
) -> None:
    """Write one interaction at ``place``, its texts to the end of ``texts``.

    ``start``: where ``texts`` will begin in the buffer.
    """
    actor, target, record = message.actor, message.target, message.record
    _put_common(columns, place, message, actor)
    columns.received_at[place] = message.received_at
    columns.amount[place] = message.amount
    columns.self_[place] = actor == target
    columns.record[place] = hash64(f"{actor} {record}") if record else 0
    columns.target_partition[place] = 0 if target is None else partition_of(target, partitions)
    object_ = message.object
    for spans, text in (
        (columns.actor, actor),
        (columns.target, target),
        (columns.object, object_),
    ):
        if text is not None:
            _put_text(spans, place, text.encode(), texts, start)


def _put_post(
    columns: Decoded,
    place: int,
    post: Post,
    published: int,
    texts: bytearray,
    start: int,
    partitions: int,
) -> None:
    """Write one own post at ``place``; ``published`` (ms) is the time that all readers agree on."""
    _put_common(columns, place, post, post.author)
    columns.received_at[place] = published
    columns.amount[place] = 1
    columns.target_partition[place] = partition_of(post.author, partitions)
    author = post.author.encode()
    _put_text(columns.actor, place, author, texts, start)
    columns.target.places[place] = columns.actor.places[place]
    columns.target.sizes[place] = len(author)


def _put_common(columns: Decoded, place: int, message: Interaction | Post, actor: str) -> None:
    columns.what[place] = INTERACTION
    columns.at[place] = message.at
    columns.network[place] = NETWORK_INDEX[message.network]
    columns.undo[place] = message.undo
    columns.id[place] = hash64(message.id)
    columns.engager[place] = hash64(actor)


def _put_text(spans: Spans, place: int, raw: bytes, texts: bytearray, start: int) -> None:
    """Write a text to the end of ``texts``, which will begin at ``start`` in the buffer."""
    spans.places[place], spans.sizes[place] = start + len(texts), len(raw)
    texts += raw
