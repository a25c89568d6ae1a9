"""The bytes of a connection to a broker, without moving them about.

``asyncio.StreamReader`` gathers what arrives in one buffer, which grows by copying, is copied when
it is read and moved when something is left; and it stops and restarts the connection every 128 kB.
For answers of many MB that takes longer than all the rest of fetching.
"""

import asyncio
from collections import deque
from typing import Any, Final

_MOST_AHEAD: Final = 1 << 20
"""Bytes that may lie here beyond those asked for."""


class ChunkReader(asyncio.StreamReader):
    """A reader that keeps what arrives as it came, until all that is asked for is there.

    Only ``readexactly`` and ``at_eof`` are for use.
    """

    _chunks: deque[memoryview]
    _held: int
    _asked: int

    @classmethod
    def become(cls, reader: asyncio.StreamReader) -> None:
        """Turn a reader that nothing was fed to into one of this class."""
        held: Any = reader
        held.__class__ = cls
        held._chunks, held._held, held._asked = deque(), 0, 0

    def feed_data(self, data: Any) -> None:
        """Take in what the connection brought."""
        if not data:
            return
        self._chunks.append(memoryview(data))
        self._held += len(data)
        inner: Any = self
        if self._held >= self._asked:
            inner._wakeup_waiter()
        if not inner._paused and self._held > self._asked + _MOST_AHEAD:
            inner._transport.pause_reading()
            inner._paused = True

    def at_eof(self) -> bool:
        """Whether the connection has ended and everything was read."""
        inner: Any = self
        return bool(inner._eof) and not self._held

    async def readexactly(self, n: int) -> bytes:
        """The next ``n`` bytes; raises ``IncompleteReadError`` if the connection ends before."""
        inner: Any = self
        self._asked = n
        while self._held < n:
            if inner._exception is not None:
                raise inner._exception
            if inner._eof:
                raise asyncio.IncompleteReadError(self._take(self._held), n)
            await inner._wait_for_data("readexactly")
        self._asked = 0
        return self._take(n)

    def _take(self, n: int) -> bytes:
        """The first ``n`` bytes of those that are here."""
        parts, missing = [], n
        while missing:
            chunk = self._chunks.popleft()
            if len(chunk) > missing:
                self._chunks.appendleft(chunk[missing:])
                chunk = chunk[:missing]
            parts.append(chunk)
            missing -= len(chunk)
        self._held -= n
        return b"".join(parts)
