"""``weighed``: rows of one source topic-partition for one target partition, as an Arrow IPC stream.

A frame covers the source offsets ``first`` to ``last``, gaps included, and holds one row for each
accepted interaction among them whose target belongs to the partition; it may hold none. ``totals``
are running sums over the whole source up to ``last``, the same in the frames of all target
partitions. Readers apply a frame only if ``first <= applied + 1`` and of it only the rows beyond
``applied``: the first occurrence wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.stream_form import Buffer, Found, StreamForm
from schemas.texts import TextColumn
from schemas.topics import Topic

ROW_SCHEMA: Final = pa.schema(
    [
        pa.field("offset", pa.int64(), False),
        pa.field("part", pa.uint16(), False),
        pa.field("at", pa.int64(), False),
        pa.field("received_at", pa.int64(), False),
        pa.field("kind", pa.uint8(), False),
        pa.field("network", pa.uint8(), False),
        pa.field("actor", pa.string(), False),
        pa.field("target", pa.string(), False),
        pa.field("object", pa.string(), True),
        pa.field("class", pa.uint8(), False),
        pa.field("weight", pa.int64(), False),
        pa.field("amount", pa.uint32(), False),
        pa.field("undo", pa.bool_(), False),
        pa.field("engager", pa.uint64(), False),
        pa.field("id", pa.uint64(), False),
        pa.field("record", pa.uint64(), False),
        pa.field("undone_at", pa.int64(), False),
        pa.field("whole_record", pa.bool_(), False),
    ]
)
"""``offset``: in the source; ``part``: number of the row within its offset (an undo by record may
retract several); ``at``: event time in ms, on an undo that of the interaction it retracts;
``kind``/``network``: index in ROW_KINDS / NETWORKS (an own post is a row of its author with itself,
of weight 0); ``weight``: fixed point, 1024 = 1.0, positive also on an undo; ``engager``: hash64 of
the actor; ``id``: hash64 of the interaction's id; ``record``: hash64 of "actor record", 0 if it has
none; ``undone_at``: on an undo its own event time in ms, else 0; ``whole_record``: it was an undo
of everything that its record gave."""

_ADDED: Final = frozenset({"undone_at", "whole_record"})
"""Columns that frames of the first version lack; there they are 0."""

OUTCOMES: Final = (
    "accepted",
    "duplicate",
    "undone",
    "unmatched",
    "self",
    "late",
    "dead",
    "heartbeat",
)
"""What may become of a record; each counts in ``totals``. ``undone`` counts interactions taken back
(or refused because their undo came first), ``unmatched`` undos that met nothing."""


class FrameHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Where a frame's rows come from. ``clock``: event time in ms that the source has reached."""

    topic: Topic
    partition: int
    first: int
    last: int
    clock: int
    model: int
    totals: dict[str, int] = {}


Columns = dict[str, Any]
"""Column name → numpy array (numbers), or ``TextColumn`` (texts)."""

_TEXTS: Final = ("actor", "target", "object")
_DTYPES: Final[dict[str, npt.DTypeLike]] = {
    f.name: np.bool_ if pa.types.is_boolean(f.type) else f.type.to_pandas_dtype()
    for f in ROW_SCHEMA
    if f.name not in _TEXTS
}
_NAMES: Final[tuple[str, ...]] = tuple(ROW_SCHEMA.names)
_OPTIONAL: Final = frozenset(f.name for f in ROW_SCHEMA if f.nullable)
_TYPES: Final[dict[str, Any]] = {f.name: f.type for f in ROW_SCHEMA}
_HEADER_KEY: Final = b"renown"
_FORM: Final = StreamForm(ROW_SCHEMA, _HEADER_KEY)
_CONTINUED: Final = 0x80
"""A byte of UTF-8 with this as its first two bits is not the first one of a character."""


def empty_columns() -> Columns:
    """Columns of no rows."""
    return dict(_EMPTY)


_EMPTY: Final[Columns] = {
    f.name: TextColumn.of([]) if f.name in _TEXTS else np.empty(0, _DTYPES[f.name])
    for f in ROW_SCHEMA
}


def columns_of(rows: list[tuple[Any, ...]]) -> Columns:
    """Columns from rows whose values stand in the order of ``ROW_SCHEMA``."""
    if not rows:
        return empty_columns()
    return {
        f.name: TextColumn.of(values) if f.name in _TEXTS else np.array(values, _DTYPES[f.name])
        for f, values in zip(ROW_SCHEMA, zip(*rows, strict=True), strict=True)
    }


def joined_columns(batches: Sequence[Columns]) -> Columns:
    """The rows of all ``batches``, one after the other; at least one batch."""
    if len(batches) == 1:
        return batches[0]
    return {
        f.name: TextColumn.joined([batch[f.name] for batch in batches])
        if f.name in _TEXTS
        else np.concatenate([batch[f.name] for batch in batches])
        for f in ROW_SCHEMA
    }


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame."""

    header: FrameHeader
    columns: Columns = field(default_factory=empty_columns)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.columns["offset"])

    def encode(self) -> bytes:
        """The frame as an Arrow IPC stream."""
        buffers: list[Buffer] = []
        missing = []
        for name in _NAMES:
            lost, more = _to_buffers(name, self.columns[name])
            missing.append(lost)
            buffers += more
        return _FORM.write(msgspec.json.encode(self.header), len(self), missing, buffers)

    def beyond(self, applied: int) -> "Frame":
        """The frame without the rows whose source offset is ``applied`` or less."""
        offsets = self.columns["offset"]
        start = int(np.searchsorted(offsets, applied, side="right"))
        if start == 0:
            return self
        return Frame(self.header, {name: values[start:] for name, values in self.columns.items()})


def decode_frame(data: bytes) -> Frame:
    """Decode a frame; raises ``ValueError`` if ``data`` is none of this version."""
    if found := _FORM.read(data):
        try:
            header = msgspec.json.decode(found.note, type=FrameHeader)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(f"not a frame of weighed interactions: {error}") from error
        return Frame(header, _columns_in(data, found))
    try:
        with pa.ipc.open_stream(data) as reader:
            schema = reader.schema
            batches = list(reader)
        for each in batches:
            each.validate(full=True)  # lengths that lie would be read beyond the buffers
        batch = _only_batch(batches, schema)
        header = msgspec.json.decode((schema.metadata or {})[_HEADER_KEY], type=FrameHeader)
    except (pa.ArrowException, OSError, KeyError, msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"not a frame of weighed interactions: {error}") from error
    if not schema.equals(ROW_SCHEMA):
        batch = _of_first_version(batch)
    return Frame(header, _columns_of(batch))


def _only_batch(batches: list[Any], schema: Any) -> Any:
    """The rows of all batches in one; there is one, unless somebody else wrote them."""
    if len(batches) == 1:
        return batches[0]
    joined = pa.Table.from_batches(batches, schema).combine_chunks().to_batches()
    return joined[0] if joined else pa.RecordBatch.from_pylist([], schema)


def _of_first_version(batch: Any) -> Any:
    """The batch with the columns that were added since; ``ValueError`` if it is anything else."""
    names = batch.schema.names
    for column in ROW_SCHEMA:
        if column.name in _ADDED and column.name not in names:
            batch = batch.append_column(column, pa.array([0] * len(batch)).cast(column.type))
    if not batch.schema.equals(ROW_SCHEMA):
        raise ValueError(f"frame with unknown columns: {names}")
    return batch


def _to_buffers(name: str, values: Any) -> tuple[int, list[Buffer]]:
    """How many values of a column are missing, and its buffers as they travel."""
    if name in _TEXTS:
        return values.to_buffers()  # type: ignore[no-any-return]
    dtype = _DTYPES[name]
    numbers = np.ascontiguousarray(values, dtype)
    return 0, [None, np.packbits(numbers, bitorder="little") if dtype is np.bool_ else numbers]


def _columns_in(data: bytes, found: Found) -> Columns:
    """The columns of a stream of the usual form, numbers and texts without a copy."""
    if not found.rows:
        return empty_columns()
    spans = zip(found.starts, found.sizes, strict=True)
    columns: Columns = {}
    for name, missing in zip(_NAMES, found.missing, strict=True):
        validity, values = next(spans), next(spans)
        if missing and name not in _OPTIONAL:
            raise ValueError(f"frame without some values in {name}")
        if name in _TEXTS:
            columns[name] = _texts(data, validity, values, next(spans), found.rows, missing)
        else:
            columns[name] = _numbers_at(data, values, found.rows, _DTYPES[name])
    return columns


def _numbers_at(
    data: bytes, span: tuple[int, int], count: int, dtype: npt.DTypeLike
) -> npt.NDArray[Any]:
    start, size = span
    if dtype is np.bool_:
        bits = np.frombuffer(data, np.uint8, size, start)
        return np.unpackbits(bits, count=count, bitorder="little").view(np.bool_)
    return np.frombuffer(data, dtype, count, start)


def _texts(
    data: bytes,
    validity: tuple[int, int],
    places_at: tuple[int, int],
    text_at: tuple[int, int],
    rows: int,
    missing: int,
) -> TextColumn:
    """A column of texts; ``ValueError`` unless its places, UTF-8 and ``missing`` are sound."""
    places = np.frombuffer(data, np.int32, rows + 1, places_at[0])
    start, size = text_at
    if places[0] or places[-1] != size or (places[1:] < places[:-1]).any():
        raise ValueError("frame with texts at places that cannot be")
    text = data[start : start + size]
    characters = np.frombuffer(text, np.uint8)
    if not text.isascii():
        text.decode()
        firsts = characters[places[places < size]]
        if ((firsts & 0xC0) == _CONTINUED).any():
            raise ValueError("frame with a text that begins within a character")
    valid = None
    if validity[1]:
        valid = _numbers_at(data, validity, rows, np.bool_)
        if rows - np.count_nonzero(valid) != missing:
            raise ValueError(f"frame that does not lack {missing} texts as it says")
    return TextColumn(characters, places, valid)


def _columns_of(batch: Any) -> Columns:
    """The columns of a batch of ``ROW_SCHEMA``, numbers and texts without a copy.

    All buffers are asked for at once: each question to Arrow costs more than reading a column.
    """
    buffers = iter(batch.to_struct_array().buffers()[1:])
    columns: Columns = {}
    for name in _NAMES:
        validity = next(buffers)
        if validity is not None and name not in _OPTIONAL and batch.column(name).null_count:
            raise ValueError(f"frame without some values in {name}")
        if name in _TEXTS:
            places, data = next(buffers), next(buffers)
            columns[name] = TextColumn.from_buffers(validity, places, data, len(batch))
        else:
            columns[name] = _numbers(next(buffers), len(batch), _DTYPES[name])
    return columns


def _numbers(values: Any, count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    if not count:
        return np.empty(0, dtype)
    if dtype is np.bool_:
        bits = np.frombuffer(values, np.uint8)
        return np.unpackbits(bits, count=count, bitorder="little").view(np.bool_)
    return np.frombuffer(values, dtype, count)
