"""Arrow IPC streams of one schema and one batch, written and read without Arrow's own objects.

Making and asking those costs some µs for each column, however few rows there are. But the message
that introduces the batch is the same for all batches of a schema, except for its numbers: how many
rows there are, how many values are missing, where each buffer lies. So a message that Arrow wrote
is the form, and only its numbers are filled in. What is not of this form is left to Arrow.
"""

import struct
from collections.abc import Sequence, Set
from itertools import accumulate
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Buffer = npt.NDArray[Any] | None

_STREAM_END: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""The end of a stream: a message of no bytes."""
_SIZE_AT: Final = 4
"""Where a message tells the size of what follows its first 8 bytes."""
_STEP: Final = 64
"""The note is brought to a multiple of so many bytes, so that few sizes of it occur."""
_LONGEST_NOTE: Final = 1 << 16
_LARGEST: Final = 1 << 40
"""Bytes of a buffer that would be too many in any case."""
_BLANK: Final = b" "
_PADDING: Final = [bytes(size) for size in range(8)]
_PROBE_ROWS: Final = 1009


class Found(NamedTuple):
    """A stream as it was read: ``starts`` and ``sizes`` of its buffers in bytes."""

    note: bytes
    rows: int
    missing: tuple[int, ...]
    starts: tuple[int, ...]
    sizes: tuple[int, ...]


class StreamForm:
    """The form of the streams of a schema with a note: metadata that may end with blanks.

    The columns are numbers, booleans (one bit each) and texts. The buffers of a column are: whether
    each value is there (bits; none if all are), for texts the places (int32[rows + 1], from 0 on),
    and the values.
    """

    def __init__(self, schema: Any, note_key: bytes) -> None:
        """Raises ``ValueError`` if the installed Arrow writes messages that have no such form."""
        self._schema, self._key = schema, note_key
        self._widths = [_widths(column.type) for column in schema]
        self._intros: dict[int, tuple[bytes, bytes]] = {}
        self._extra = len(self._written_intro(_STEP)) - _STEP
        nothing = pa.RecordBatch.from_pylist([], schema).serialize()
        self._nothing: bytes = nothing.to_pybytes() + _STREAM_END
        self._find_form()

    def write(
        self, note: bytes, rows: int, missing: Sequence[int], buffers: Sequence[Buffer]
    ) -> bytes:
        """The stream of one batch of contiguous ``buffers``; ``missing``: values of each column."""
        size = max(1, -(-len(note) // _STEP)) * _STEP
        before, after = self._intro(size)
        intro = (before, note.ljust(size, _BLANK), after)
        if not rows:
            return b"".join((*intro, self._nothing))
        sizes = [0 if buffer is None else buffer.nbytes for buffer in buffers]
        message = bytearray(self._message)
        self._fill_in(message, rows, missing, sizes)
        parts: list[Any] = [*intro, message]
        for buffer, size in zip(buffers, sizes, strict=True):
            if size:
                parts += (buffer, _PADDING[-size % 8])
        parts.append(_STREAM_END)
        return b"".join(parts)

    def read(self, data: bytes) -> Found | None:
        """What the stream holds, each buffer inside of ``data`` and as long as it must be.

        None: it is not as ``write`` writes it.
        """
        if (note := self._note_in(data)) is None:
            return None
        place = len(note) + self._extra
        if len(data) - place == len(self._nothing) and data.endswith(self._nothing):
            return Found(note, 0, (0,) * len(self._widths), (), ())
        message = data[place : place + len(self._message)]
        if len(message) < len(self._message):
            return None
        (rows,) = _LONG.unpack_from(message, self._rows_at)
        missing = self._nodes.unpack_from(message, self._nodes_at)[1::2]
        spans = self._spans.unpack_from(message, self._spans_at)
        place += len(message)
        starts, sizes = tuple(place + start for start in spans[::2]), spans[1::2]
        if not self._is_whole(rows, missing, sizes):
            return None
        filled = bytearray(self._message)
        body = self._fill_in(filled, rows, missing, sizes)
        ends = len(data) == place + body + len(_STREAM_END) and data.endswith(_STREAM_END)
        return Found(note, rows, missing, starts, sizes) if ends and filled == message else None

    def _note_in(self, data: bytes) -> bytes | None:
        """The note, if the message of the schema is the usual one."""
        size = int.from_bytes(data[_SIZE_AT : _SIZE_AT + 4], "little") + 8 - self._extra
        if size % _STEP or not _STEP <= size <= _LONGEST_NOTE:
            return None
        before, after = self._intro(size)
        place = len(before) + size
        if not (data.startswith(before) and data.startswith(after, place)):
            return None
        return data[len(before) : place]

    def _is_whole(self, rows: int, missing: Sequence[int], sizes: Sequence[int]) -> bool:
        """Whether each buffer has the size that it must have."""
        if rows <= 0 or min(sizes) < 0 or max(sizes) > _LARGEST:
            return False
        left = iter(sizes)
        for lost, widths in zip(missing, self._widths, strict=True):
            if not 0 <= lost <= rows or next(left) != (_bytes(rows, 1) if lost else 0):
                return False
            if next(left) != _bytes(rows, widths.each) + widths.more:
                return False
            if widths.more:
                next(left)  # the texts, which may be of any size
        return True

    def _fill_in(
        self, message: bytearray, rows: int, missing: Sequence[int], sizes: Sequence[int]
    ) -> int:
        """Put the numbers into the form; returns the bytes of all buffers."""
        *starts, body = accumulate(((size + 7) & ~7 for size in sizes), initial=0)
        nodes = [number for lost in missing for number in (rows, lost)]
        spans = [number for span in zip(starts, sizes, strict=True) for number in span]
        self._nodes.pack_into(message, self._nodes_at, *nodes)
        self._spans.pack_into(message, self._spans_at, *spans)
        _LONG.pack_into(message, self._rows_at, rows)
        _LONG.pack_into(message, self._body_at, body)
        return body

    def _intro(self, size: int) -> tuple[bytes, bytes]:
        """What stands before and behind a note of so many bytes in the message of the schema."""
        if (known := self._intros.get(size)) is None:
            before, after = self._written_intro(size).split(_BLANK * size)
            known = self._intros[size] = before, after
        return known

    def _written_intro(self, size: int) -> bytes:
        with_note = self._schema.with_metadata({self._key: _BLANK * size})
        return with_note.serialize().to_pybytes()  # type: ignore[no-any-return]

    def _find_form(self) -> None:
        """Let Arrow write a batch, and find its numbers in the message."""
        columns = [
            pa.array([None] + [""] * (_PROBE_ROWS - 1) if column.nullable else [""] * _PROBE_ROWS)
            if widths.more
            else pa.array(np.zeros(_PROBE_ROWS, np.int8)).cast(column.type)
            for column, widths in zip(self._schema, self._widths, strict=True)
        ]
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        missing = [column.null_count for column in columns]
        sizes = []
        for lost, widths in zip(missing, self._widths, strict=True):
            sizes += [_bytes(_PROBE_ROWS, 1) if lost else 0]
            sizes += [_bytes(_PROBE_ROWS, widths.each) + widths.more]
            sizes += [0] if widths.more else []
        written: bytes = batch.serialize().to_pybytes()
        self._message = written[: 8 + int.from_bytes(written[_SIZE_AT : _SIZE_AT + 4], "little")]
        *starts, body = accumulate(((size + 7) & ~7 for size in sizes), initial=0)
        nodes = [number for lost in missing for number in (_PROBE_ROWS, lost)]
        spans = [number for span in zip(starts, sizes, strict=True) for number in span]
        self._nodes, self._spans = (
            struct.Struct(f"<{len(nodes)}q"),
            struct.Struct(f"<{len(spans)}q"),
        )
        self._nodes_at = self._place_of(self._nodes.pack(*nodes))
        self._spans_at = self._place_of(self._spans.pack(*spans))
        elsewhere = {
            *range(self._nodes_at, self._nodes_at + self._nodes.size),
            *range(self._spans_at, self._spans_at + self._spans.size),
        }
        # without texts in the last column, its last buffer begins where the body ends
        self._body_at = self._place_of(_LONG.pack(body), besides=elsewhere)
        self._rows_at = self._place_of(_LONG.pack(_PROBE_ROWS), besides=elsewhere)

    def _place_of(self, numbers: bytes, besides: Set[int] = frozenset()) -> int:
        found = [
            place
            for place in range(0, len(self._message) - len(numbers) + 1, 4)
            if self._message.startswith(numbers, place) and place not in besides
        ]
        if len(found) != 1:
            raise ValueError(
                f"pyarrow {pa.__version__} writes record batches in a form that is not known here:"
                " install the version that the project was locked with"
            )
        return found[0]


class _Widths(NamedTuple):
    """Of the fixed part of a column: bits of ``each`` row, ``more`` bytes."""

    each: int
    more: int


def _widths(type_: Any) -> _Widths:
    return _Widths(32, 4) if pa.types.is_string(type_) else _Widths(type_.bit_width, 0)


def _bytes(rows: int, bits: int) -> int:
    return (rows * bits + 7) // 8


_LONG: Final = struct.Struct("<q")
