"""The records of one fetch as the core sees them, whichever client fetched them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]
Headers = tuple[tuple[str, bytes | None], ...]

NULL = -1
"""In place of a size: there is no value or key at all."""


class Record(NamedTuple):
    """One record of a topic-partition. ``timestamp``: time of publishing, ms UTC."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True, eq=False)
class RecordColumns(Sequence[Record]):
    """Records in ascending order of offset, as places in one buffer: no object per record.

    ``data``: bytes in which all values and keys lie. int64[n]: ``offsets``, ``timestamps`` (ms
    UTC), ``values`` and ``keys`` (where each begins) and their ``sizes`` (NULL: none).
    ``headers_of(i)`` gives the headers of record i. Single ``Record``s are for the unusual ones.
    """

    data: Bytes
    offsets: Longs
    timestamps: Longs
    values: Longs
    value_sizes: Longs
    keys: Longs
    key_sizes: Longs
    headers_of: Callable[[int], Headers] = field(default=lambda _record: ())

    @staticmethod
    def of(records: Sequence[Record]) -> "RecordColumns":
        """The columns of single records."""
        parts: list[bytes] = []
        places: list[list[int]] = [[], []]
        sizes: list[list[int]] = [[], []]
        end = 0
        for record in records:
            for text, place, size in zip((record.value, record.key), places, sizes, strict=True):
                place.append(end)
                size.append(NULL if text is None else len(text))
                parts.append(text or b"")
                end += len(parts[-1])
        return RecordColumns(
            np.frombuffer(b"".join(parts), np.uint8),
            np.array([record.offset for record in records], np.int64),
            np.array([record.timestamp for record in records], np.int64),
            np.array(places[0], np.int64),
            np.array(sizes[0], np.int64),
            np.array(places[1], np.int64),
            np.array(sizes[1], np.int64),
            lambda record: records[record].headers,
        )

    def __len__(self) -> int:
        """Number of records."""
        return len(self.offsets)

    @overload
    def __getitem__(self, record: int) -> Record: ...

    @overload
    def __getitem__(self, record: slice) -> Sequence[Record]: ...

    def __getitem__(self, record: int | slice) -> Record | Sequence[Record]:
        """One record, or a list of some."""
        if isinstance(record, slice):
            return [self[place] for place in range(*record.indices(len(self)))]
        place = range(len(self))[record]
        return Record(
            int(self.offsets[place]),
            int(self.timestamps[place]),
            self._bytes(self.keys, self.key_sizes, place),
            self._bytes(self.values, self.value_sizes, place),
            self.headers_of(place),
        )

    def roomy(self, slack: int) -> Bytes:
        """The buffer, read-only, with so many bytes behind the last value at least."""
        data = self.data
        if len(self):
            end = int((self.values + self.value_sizes).max())
            if end + slack > len(data):
                data = np.concatenate((data, np.zeros(slack, np.uint8)))
        data = data.view()
        data.setflags(write=False)
        return data

    def value(self, record: int) -> bytes | None:
        """The value of one record."""
        return self._bytes(self.values, self.value_sizes, record)

    def _bytes(self, places: Longs, sizes: Longs, record: int) -> bytes | None:
        size = int(sizes[record])
        if size == NULL:
            return None
        start = int(places[record])
        return self.data[start : start + size].tobytes()
