"""Distinct texts under numbers, in one buffer: no object per text."""

from array import array
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from streams.core.arrays import pack, unpack
from streams.core.hash_index import HashIndex

_MOST_RECENT = 1024
_MASK = 0xFFFF_FFFF_FFFF_FFFF


class Texts:
    """Texts numbered from 0 in order of appearance."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._hashes = array("Q")
        self._ends = array("Q", [0])
        self._bytes = bytearray()
        self._index = HashIndex(self._hashes)
        self._recent: dict[str, int] = {}
        for text in texts:
            self.number(text)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._hashes)

    def __getitem__(self, number: int) -> str:
        """The text of a number."""
        return self._raw(number).decode()

    def number(self, text: str) -> int:
        """The number of ``text``, a new one if it has none."""
        found = self._recent.get(text)
        if found is None:
            if len(self._recent) >= _MOST_RECENT:
                self._recent.clear()
            found = self._recent[text] = self._number(text)
        return found

    def _number(self, text: str) -> int:
        hashed, raw = hash(text) & _MASK, text.encode()
        while (found := self._index.find(hashed)) >= 0:
            if self._raw(found) == raw:
                return found
            hashed = (hashed + 1) & _MASK  # two texts with one hash: the next one is the second's
        found = len(self)
        self._hashes.append(hashed)
        self._bytes += raw
        self._ends.append(len(self._bytes))
        self._index.put(hashed, found)
        return found

    def _raw(self, number: int) -> bytearray:
        return self._bytes[self._ends[number] : self._ends[number + 1]]

    def snapshot(self) -> list[Any]:
        """The texts in UTF-8 one after the other, and their lengths in bytes."""
        return [bytes(self._bytes), pack(np.diff(np.frombuffer(self._ends, np.uint64)))]

    @classmethod
    def restore(cls, snapshot: list[Any]) -> "Texts":
        """The texts of a snapshot under the same numbers."""
        raw, lengths = snapshot
        ends = [0, *np.cumsum(unpack(lengths)).tolist()]
        return cls(raw[start:end].decode() for start, end in pairwise(ends))
