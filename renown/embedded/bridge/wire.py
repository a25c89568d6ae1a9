"""Primitives of the native protocol: variable-length integers, strings, fixed-width numbers."""

import socket
import struct
from typing import Protocol

_CHUNK = 1 << 20
_ULEB_MORE = 0x80
_U64 = struct.Struct("<Q")


class ProtocolError(Exception):
    """The client said something that the bridge does not understand; the connection must end."""


class Source(Protocol):
    """Where bytes come from."""

    def read(self) -> bytes:
        """Some bytes; empty at the end."""


class SocketSource:
    """Bytes of a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def read(self) -> bytes:
        """What has arrived; waits for something."""
        return self._connection.recv(_CHUNK)


def varint(number: int) -> bytes:
    """``number`` in seven bits a byte, low bits first."""
    out = bytearray()
    while number >= _ULEB_MORE:
        out.append(number & 0x7F | _ULEB_MORE)
        number >>= 7
    out.append(number)
    return bytes(out)


def string(value: str | bytes) -> bytes:
    """Length and bytes."""
    raw = value.encode() if isinstance(value, str) else value
    return varint(len(raw)) + raw


class Reader:
    """Reads primitives; blocks until they are there; raises ``EOFError`` when they never come.

    What was read stays in the buffer until ``forget``, so that a block can be walked to find its
    end and then be taken as a whole with ``since``.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._buffer = bytearray()
        self._at = 0

    @property
    def position(self) -> int:
        """Where the next byte is; valid for ``since`` until ``forget``."""
        return self._at

    def since(self, start: int, end: int | None = None) -> bytes:
        """A copy of what lies between ``start`` and ``end`` (default: the current position)."""
        with memoryview(self._buffer) as view:
            return bytes(view[start : self._at if end is None else end])

    def forget(self) -> None:
        """Drop what was read."""
        del self._buffer[: self._at]
        self._at = 0

    def buffered(self) -> bool:
        """Whether there is a byte that needs no waiting."""
        return self._at < len(self._buffer)

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes."""
        self._at += count
        while len(self._buffer) < self._at:
            self._fill()

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        start = self._at
        self.skip(count)
        return self.since(start)

    def byte(self) -> int:
        """The next byte as a number."""
        self.skip(1)
        return self._buffer[self._at - 1]

    def u64(self) -> int:
        """The next unsigned 64-bit number."""
        self.skip(8)
        return int(_U64.unpack_from(self._buffer, self._at - 8)[0])

    def varint(self) -> int:
        """The next variable-length number."""
        number = shift = 0
        while True:
            part = self.byte()
            number |= (part & 0x7F) << shift
            if part < _ULEB_MORE:
                return number
            shift += 7
            if shift > 63:
                raise ProtocolError("a variable-length number has no end")

    def string(self) -> str:
        """The next string."""
        return self.take(self.varint()).decode(errors="replace")

    def skip_strings(self, count: int) -> None:
        """Pass over ``count`` strings: the hot loop of inserts, hence without calls."""
        at, done = self._at, 0
        while done < count:
            buffer, size = self._buffer, len(self._buffer)
            while done < count and at < size:
                length = buffer[at]
                if length >= _ULEB_MORE:
                    self._at = at
                    self.skip(self.varint())
                    at, size = self._at, len(buffer)
                else:
                    at += length + 1
                done += 1
            self._at = at
            while len(self._buffer) < self._at or (done < count and len(self._buffer) == at):
                self._fill()

    def _fill(self) -> None:
        more = self._source.read()
        if not more:
            raise EOFError
        self._buffer += more
