"""How Kafka's record batches are compressed, by the number in their attributes."""

import struct
from collections.abc import Callable
from typing import Any

import cramjam

_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16
_SIZE = struct.Struct(">i")

Decompress = Callable[[memoryview], Any]


class Undecodable(ValueError):
    """Bytes that are not what their codec makes."""


def decompressed(codec: int, body: memoryview) -> bytes:
    """The bytes of a batch's records; ``codec`` is not 0 (none). Raises ``Undecodable``."""
    if codec not in _DECOMPRESS:
        raise Undecodable(f"codec {codec} is not known")
    try:
        return bytes(_DECOMPRESS[codec](body))
    except (cramjam.DecompressionError, struct.error) as error:
        raise Undecodable(str(error)) from error


def _snappy(body: memoryview) -> Any:
    """One block, or the blocks of Java's snappy library, each after its size."""
    if body[: len(_XERIAL)] != _XERIAL:
        return cramjam.snappy.decompress_raw(body)
    blocks, place = [], _XERIAL_HEADER
    while place < len(body):
        start = place + _SIZE.size
        size = _SIZE.unpack_from(body, place)[0]
        if not 0 <= size <= len(body) - start:
            raise Undecodable("a block of snappy is not complete")
        blocks.append(bytes(cramjam.snappy.decompress_raw(body[start : start + size])))
        place = start + size
    return b"".join(blocks)


_DECOMPRESS: dict[int, Decompress] = {
    1: cramjam.gzip.decompress,
    2: _snappy,
    3: cramjam.lz4.decompress,
    4: cramjam.zstd.decompress,
}
