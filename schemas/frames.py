"""``weighed``: rows of one source topic-partition for one target partition, as an Arrow IPC stream.

A frame covers the source offsets ``first`` to ``last``, gaps included, and holds one row for each
accepted interaction among them whose target belongs to the partition; it may hold none. ``totals``
are running sums over the whole source up to ``last``, the same in the frames of all target
partitions. Readers apply a frame only if ``first <= applied + 1`` and of it only the rows beyond
``applied``: the first occurrence wins.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

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
``kind``/``network``: index in KINDS / NETWORKS; ``weight``: fixed point, 1024 = 1.0, positive also
on an undo; ``engager``: hash64 of the actor; ``id``: hash64 of the interaction's id; ``record``:
hash64 of "actor record", 0 if it has none; ``undone_at``: on an undo its own event time in ms, else
0; ``whole_record``: it was an undo of everything that its record gave."""

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
_HEADER_KEY: Final = b"renown"


def empty_columns() -> Columns:
    """Columns of no rows."""
    return {
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
        schema = ROW_SCHEMA.with_metadata({_HEADER_KEY: msgspec.json.encode(self.header)})
        arrays = [
            self.columns[f.name].to_arrow()
            if f.name in _TEXTS
            else pa.array(self.columns[f.name], f.type)
            for f in ROW_SCHEMA
        ]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_batch(pa.record_batch(arrays, schema=schema))
        return bytes(sink.getvalue())

    def beyond(self, applied: int) -> "Frame":
        """The frame without the rows whose source offset is ``applied`` or less."""
        offsets = self.columns["offset"]
        start = int(np.searchsorted(offsets, applied, side="right"))
        if start == 0:
            return self
        return Frame(self.header, {name: values[start:] for name, values in self.columns.items()})


def decode_frame(data: bytes) -> Frame:
    """Decode a frame; raises ``ValueError`` if ``data`` is none of this version."""
    try:
        with pa.ipc.open_stream(data) as reader:
            schema = reader.schema
            table = reader.read_all()
            table.validate(full=True)  # lengths that lie would be read beyond the buffers
        header = msgspec.json.decode((schema.metadata or {})[_HEADER_KEY], type=FrameHeader)
    except (pa.ArrowException, OSError, KeyError, msgspec.DecodeError) as error:
        raise ValueError(f"not a frame of weighed interactions: {error}") from error
    if schema.remove_metadata() != ROW_SCHEMA:
        table = _of_first_version(table)
    columns = {
        f.name: TextColumn.from_arrow(table[f.name].combine_chunks())
        if f.name in _TEXTS
        else table[f.name].to_numpy().astype(_DTYPES[f.name], copy=False)
        for f in ROW_SCHEMA
    }
    return Frame(header, columns)


def _of_first_version(table: Any) -> Any:
    """The table with the columns that were added since; ``ValueError`` if it is anything else."""
    names = table.schema.names
    for column in ROW_SCHEMA:
        if column.name in _ADDED and column.name not in names:
            table = table.append_column(column, pa.array([0] * len(table)).cast(column.type))
    if table.schema.remove_metadata() != ROW_SCHEMA:
        raise ValueError(f"frame with unknown columns: {names}")
    return table
