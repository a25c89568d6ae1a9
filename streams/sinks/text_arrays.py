"""Columns of texts for ClickHouse that hold no object per text, and how they reach its driver.

clickhouse-driver takes texts as Python strings only. ``pass_through`` lets it write these columns
as they are; where it is another version than the one that is known, they become strings.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

import clickhouse_driver
import numpy as np
import numpy.typing as npt
from clickhouse_driver.streams import native

from schemas.texts import TextColumn
from streams.kernels.native_texts import native_texts

log = logging.getLogger("renown.clickhouse")

KNOWN_VERSION: Final = "0.2.11"
"""The version whose inside ``pass_through`` reaches into."""

_PLACES: Final = np.dtype([("place", np.int64), ("size", np.int64)])
_DICTIONARY_VERSION: Final = 1
_OWN_DICTIONARY: Final = 1 << 9 | 1 << 10
"""A block brings its own dictionary; the keys into it are of one byte (0)."""

Writer = Callable[..., None]


class TextArray(np.ndarray[Any, Any]):
    """Texts as places in the UTF-8 of ``texts``; parts of it are views."""

    texts: npt.NDArray[np.uint8]

    @staticmethod
    def of(column: TextColumn) -> "TextArray":
        """The texts of ``column``; an empty one where there is none."""
        array = np.empty(len(column), _PLACES).view(TextArray)
        array["place"] = column.places[:-1]
        array["size"] = np.diff(column.places)
        if column.valid is not None:
            array["size"][~column.valid] = 0
        array.texts = column.data
        return array

    def __array_finalize__(self, source: Any) -> None:
        """Views share the texts."""
        self.texts = getattr(source, "texts", np.empty(0, np.uint8))

    def tolist(self) -> Any:
        """The texts as ``str``."""
        pairs = self.view(np.ndarray).tolist()
        return [bytes(self.texts[place : place + size]).decode() for place, size in pairs]

    def native(self) -> bytes:
        """The column as ClickHouse reads ``String``."""
        bare = self.view(np.ndarray)
        places = (np.ascontiguousarray(bare[name]) for name in ("place", "size"))
        texts = self.texts.view(np.ndarray)
        texts.setflags(write=False)
        return native_texts(texts, *places).tobytes()


class NameArray(np.ndarray[Any, Any]):
    """Texts of which there are few: uint8, the place of each in ``names``."""

    names: tuple[str, ...]

    @staticmethod
    def of(places: npt.NDArray[Any], names: Sequence[str]) -> "NameArray":
        """The texts ``names[place]``."""
        array = np.ascontiguousarray(places, np.uint8).view(NameArray)
        array.names = tuple(names)
        return array

    def __array_finalize__(self, source: Any) -> None:
        """Views share the names."""
        self.names = getattr(source, "names", ())

    def tolist(self) -> Any:
        """The texts as ``str``."""
        return [self.names[place] for place in self.view(np.ndarray).tolist()]

    def native(self) -> bytes:
        """The column as ClickHouse reads ``LowCardinality(String)``."""
        places = self.view(np.ndarray)
        used = np.flatnonzero(np.bincount(places, minlength=len(self.names)))
        keys = np.zeros(len(self.names), np.uint8)
        keys[used] = np.arange(len(used))
        head = np.array([_DICTIONARY_VERSION, _OWN_DICTIONARY, len(used)], "<i8")
        names = TextArray.of(TextColumn.of([self.names[place] for place in used])).native()
        count = np.array([len(places)], "<i8")
        return head.tobytes() + names + count.tobytes() + keys[places].tobytes()


_SPECS: Final[dict[type[Any], str]] = {TextArray: "String", NameArray: "LowCardinality(String)"}


def pass_through() -> bool:
    """Let the driver write text arrays as they are; False: give it ``plain`` columns instead."""
    if clickhouse_driver.__version__ != KNOWN_VERSION:
        log.info("clickhouse-driver is not %s: texts take the slower way", KNOWN_VERSION)
        return False
    if not isinstance(native.write_column, _PassingWriter):
        native.write_column = _PassingWriter(native.write_column)
    return True


def plain(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The column as any version of the driver takes it."""
    if not isinstance(column, TextArray | NameArray):
        return column
    texts = np.empty(len(column), object)
    texts[:] = column.tolist()
    return texts


class _PassingWriter:
    """The driver's function for one column, with another way for text arrays."""

    def __init__(self, original: Writer) -> None:
        self._original = original

    def __call__(
        self, context: Any, name: str, spec: str, items: Any, buffer: Any, **options: Any
    ) -> None:
        if _SPECS.get(type(items)) == spec and len(items):
            buffer.write(items.native())
        else:
            items = plain(items) if isinstance(items, np.ndarray) else items
            self._original(context, name, spec, items, buffer, **options)
