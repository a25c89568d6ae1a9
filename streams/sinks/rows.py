"""Frames and dead letters → columns of the tables. Pure."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from schemas.dead_letter import DeadLetter
from schemas.frames import Frame, decode_frame
from schemas.kinds import ROW_KINDS
from schemas.networks import NETWORKS
from schemas.texts import TextColumn
from schemas.topics import Topic
from streams.core.records import Record
from streams.sinks.tables import INTERACTIONS, dtype_of
from streams.sinks.text_arrays import NameArray, TextArray

Array = npt.NDArray[Any]
_HOUR_MS: Final = 3_600_000
_TOPIC_NAMES: Final = tuple(topic.value for topic in Topic)
_INT64: Final = (-(1 << 63), (1 << 63) - 1)
_UINT64: Final = (0, (1 << 64) - 1)
_UINT32: Final = (0, (1 << 32) - 1)
_UINT16: Final = (0, (1 << 16) - 1)
_LARGEST_DETAIL: Final = 500


class PlacedFrame(NamedTuple):
    """Rows of a frame to store; ``partition`` and ``offset`` of it in ``weighed``."""

    frame: Frame
    partition: int
    offset: int


class PlacedLetter(NamedTuple):
    """A dead letter with where it lies in ``dead-letters``; -1 if the sink itself wrote it."""

    letter: DeadLetter
    partition: int
    offset: int


def read_frame(data: bytes) -> Frame:
    """Decode a frame; raises ``ValueError`` if its values cannot be stored."""
    frame = decode_frame(data)
    header, columns = frame.header, frame.columns
    _fit("partition", header.partition, _UINT32)
    _fit("model", header.model, _UINT16)
    for name, value in (("first", header.first), ("last", header.last), ("clock", header.clock)):
        _fit(name, value, _INT64)
    for outcome, total in header.totals.items():
        _fit(outcome, total, _UINT64)
    if len(frame):
        if columns["kind"].max() >= len(ROW_KINDS):
            raise ValueError(f"unknown kind number {columns['kind'].max()}")
        if columns["network"].max() >= len(NETWORKS):
            raise ValueError(f"unknown network number {columns['network'].max()}")
        if columns["at"].min() < 0:
            raise ValueError("a row has a time before 1970")
    return frame


_decode_letter = msgspec.json.Decoder(DeadLetter).decode


def read_letter(data: bytes) -> DeadLetter:
    """Decode a dead letter; raises ``ValueError`` if its values cannot be stored."""
    try:
        letter = _decode_letter(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a dead letter: {error}") from error
    _fit("partition", letter.partition, _UINT32)
    _fit("offset", letter.offset, _INT64)
    _fit("at", letter.at, _INT64)
    _fit("size", letter.size, _UINT64)
    return letter


def unreadable(topic: Topic, partition: int, record: Record, why: ValueError) -> PlacedLetter:
    """The dead letter of a record that the sink could not read."""
    value = record.value or b""
    letter = DeadLetter(
        reason=f"unreadable {topic.value}",
        detail=" ".join(str(why).split())[:_LARGEST_DETAIL],
        topic=topic.value,
        partition=partition,
        offset=record.offset,
        at=record.timestamp,
        key=record.key,
        value=value,
        size=len(value),
        headers=tuple((name, value or b"") for name, value in record.headers),
    )
    return PlacedLetter(letter, -1, -1)


def interaction_columns(frames: Sequence[PlacedFrame], log: int) -> dict[str, Array]:
    """Columns of ``interactions_rows``, the rows of one frame after those of the other."""
    lengths = np.array([len(placed.frame) for placed in frames])
    total = int(lengths.sum())

    def joined(name: str, column: str = "") -> Array:
        parts = [placed.frame.columns[name] for placed in frames]
        return np.concatenate(parts).astype(dtype_of(INTERACTIONS, column or name), copy=False)

    def texts(name: str) -> Array:
        return TextArray.of(TextColumn.joined([p.frame.columns[name] for p in frames]))

    def named(name: str, names: Sequence[str]) -> Array:
        return NameArray.of(np.concatenate([p.frame.columns[name] for p in frames]), names)

    def repeated(column: str, values: list[int]) -> Array:
        return np.repeat(np.array(values, dtype_of(INTERACTIONS, column)), lengths)

    at = joined("at")
    headers = [placed.frame.header for placed in frames]
    return {
        "log": np.full(total, log, np.uint64),
        "at": at,
        "hour": (at // _HOUR_MS).astype(np.uint32),
        "received_at": joined("received_at"),
        "kind": named("kind", ROW_KINDS),
        "network": named("network", NETWORKS),
        "actor": texts("actor"),
        "target": texts("target"),
        "object": texts("object"),
        **{
            name: joined(name)
            for name in ("class", "weight", "amount", "undo", "engager", "id", "record")
        },
        "undone_at": joined("undone_at"),
        "whole_record": joined("whole_record"),
        "model": repeated("model", [header.model for header in headers]),
        "source_topic": NameArray.of(
            np.repeat([_TOPIC_NAMES.index(header.topic.value) for header in headers], lengths),
            _TOPIC_NAMES,
        ),
        "source_partition": repeated("source_partition", [header.partition for header in headers]),
        "source_offset": joined("offset", "source_offset"),
        "part": joined("part"),
        "weighed_partition": repeated("weighed_partition", [p.partition for p in frames]),
        "weighed_offset": repeated("weighed_offset", [p.offset for p in frames]),
    }


def letter_columns(letters: Sequence[PlacedLetter], log: int) -> dict[str, list[Any]]:
    """Columns of ``dead_letters``, as lists."""
    return {
        "log": [log] * len(letters),
        "reason": [placed.letter.reason for placed in letters],
        "detail": [placed.letter.detail for placed in letters],
        "source_topic": [placed.letter.topic for placed in letters],
        "source_partition": [placed.letter.partition for placed in letters],
        "source_offset": [placed.letter.offset for placed in letters],
        "at": [placed.letter.at for placed in letters],
        "key": [placed.letter.key or b"" for placed in letters],
        "value": [placed.letter.value or b"" for placed in letters],
        "size": [placed.letter.size for placed in letters],
        "headers": [list(placed.letter.headers) for placed in letters],
        "letter_partition": [placed.partition for placed in letters],
        "letter_offset": [placed.offset for placed in letters],
    }


def _fit(name: str, value: int, bounds: tuple[int, int]) -> None:
    if not bounds[0] <= value <= bounds[1]:
        raise ValueError(f"{name} {value} is out of range")
