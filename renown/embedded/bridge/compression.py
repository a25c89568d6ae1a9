"""Compressed frames: 16 bytes CityHash128, method, size with header, size of the content, content.

LZ4 and CityHash come with ``clickhouse-driver[lz4]``; without them a client cannot ask for
compression either.
"""

import struct
from importlib import import_module
from typing import Any, Final

from renown.embedded.bridge.wire import ProtocolError, Reader

try:
    cityhash: Any = import_module("clickhouse_cityhash.cityhash")
    lz4: Any = import_module("lz4.block")
except ImportError:
    AVAILABLE = False
else:
    AVAILABLE = True

_HEAD: Final = struct.Struct("<BII")
_CHECKSUM_BYTES: Final = 16
_STORED, _LZ4 = 0x02, 0x82
_FRAME_CONTENT: Final = 1 << 20


class FrameSource:
    """The content of the frames that ``reader`` stands at."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self) -> bytes:
        """The next frame's content."""
        checksum = self._reader.take(_CHECKSUM_BYTES)
        head = self._reader.take(_HEAD.size)
        method, size, content_size = _HEAD.unpack(head)
        body = self._reader.take(size - _HEAD.size)
        self._reader.forget()
        if _checksum(head + body) != checksum:
            raise ProtocolError("a compressed block is damaged")
        if method == _STORED:
            return body
        if method != _LZ4:
            raise ProtocolError(f"compression method {method:#x} is not supported: use lz4")
        content: bytes = lz4.decompress(body, uncompressed_size=content_size)
        return content


def frames(content: bytes) -> bytes:
    """``content`` in LZ4 frames."""
    out = []
    for start in range(0, len(content), _FRAME_CONTENT):
        part = content[start : start + _FRAME_CONTENT]
        body = lz4.compress(part, store_size=False)
        frame = _HEAD.pack(_LZ4, len(body) + _HEAD.size, len(part)) + body
        out += [_checksum(frame), frame]
    return b"".join(out)


def _checksum(frame: bytes) -> bytes:
    value: int = cityhash.CityHash128(frame)
    return struct.pack("<QQ", value >> 64, value & 0xFFFF_FFFF_FFFF_FFFF)
