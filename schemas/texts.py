"""A column of texts as one buffer of UTF-8: no object per text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]

_MOST_BYTES: Final = (1 << 31) - 1


@dataclass(frozen=True, slots=True, eq=False)
class TextColumn:
    """Text ``i`` is ``data[places[i]:places[i + 1]]`` in UTF-8; ``places`` need not begin with 0.

    ``valid``: bool[n], False where there is no text at all; None: all are there.
    """

    data: Bytes
    places: Places
    valid: npt.NDArray[np.bool_] | None = None

    @staticmethod
    def of(texts: Sequence[str | None]) -> "TextColumn":
        """The column of ``texts``."""
        validity, places, data = pa.array(texts, pa.string()).buffers()
        return TextColumn.from_buffers(validity, places, data, len(texts))

    @staticmethod
    def from_buffers(validity: Any, places: Any, data: Any, count: int) -> "TextColumn":
        """The column of a string array of Arrow of ``count`` texts, from its buffers."""
        found = np.frombuffer(places, np.int32, count + 1) if count else np.zeros(1, np.int32)
        text = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
        valid = None
        if validity is not None:
            bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")[:count]
            valid = None if bits.all() else bits.view(np.bool_)
        return TextColumn(text, found, valid)

    @staticmethod
    def joined(columns: Sequence["TextColumn"]) -> "TextColumn":
        """The texts of all ``columns``, one after the other; at least one column.

        Raises ``OverflowError`` if they are more than 2 GiB together.
        """
        if len(columns) == 1:
            return columns[0]
        data, places, valid = [], [np.zeros(1, np.int32)], []
        end = 0
        for column in columns:
            first, last = int(column.places[0]), int(column.places[-1])
            data.append(column.data[first:last])
            moved, end = end - first, end + last - first
            if end > _MOST_BYTES:
                raise OverflowError("texts of more than 2 GiB in one column: join fewer rows")
            places.append(column.places[1:] + np.int32(moved))
            valid.append(np.ones(len(column), np.bool_) if column.valid is None else column.valid)
        missing = any(column.valid is not None for column in columns)
        return TextColumn(
            np.concatenate(data), np.concatenate(places), np.concatenate(valid) if missing else None
        )

    def to_buffers(self) -> tuple[int, list[npt.NDArray[Any] | None]]:
        """How many are missing, and the column as Arrow has it: validity (bits), places, texts.

        The texts are not copied.
        """
        validity, missing = None, 0
        if self.valid is not None and not self.valid.all():
            missing = len(self) - int(np.count_nonzero(self.valid))
            validity = np.packbits(self.valid, bitorder="little")
        base = int(self.places[0])
        places = np.ascontiguousarray(self.places - base if base else self.places)
        return missing, [validity, places, self.data[base : int(self.places[-1])]]

    def to_arrow(self) -> Any:
        """The column as a string array of Arrow, without a copy of the texts."""
        missing, buffers = self.to_buffers()
        held = [None if buffer is None else pa.py_buffer(buffer) for buffer in buffers]
        return pa.Array.from_buffers(pa.string(), len(self), held, null_count=missing)

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.places) - 1

    @overload
    def __getitem__(self, part: int) -> str | None: ...

    @overload
    def __getitem__(self, part: slice) -> "TextColumn": ...

    def __getitem__(self, part: int | slice) -> "TextColumn | str | None":
        """One text, or neighbouring ones without a copy."""
        if isinstance(part, int):
            if self.valid is not None and not self.valid[part]:
                return None
            place = range(len(self))[part]
            return bytes(self.data[self.places[place] : self.places[place + 1]]).decode()
        start, stop, step = part.indices(len(self))
        if step != 1:
            raise ValueError(f"neighbouring texts only, not every {step}th")
        stop = max(start, stop)
        valid = None if self.valid is None else self.valid[start:stop]
        return TextColumn(self.data, self.places[start : stop + 1], valid)

    def tolist(self) -> list[Any]:
        """The texts as ``str``, None where there is none."""
        return self.to_arrow().to_pylist()  # type: ignore[no-any-return]
