"""How Kafka's record batches are compressed, by the number in their attributes.

What a batch may become is limited: a few kB can be made that become GBs.
"""

import struct
from collections.abc import Callable
from typing import Any, Final

import cramjam
import numpy as np

LARGEST_BATCH: Final = 64 << 20
"""Bytes of a batch's records. Producers count theirs before compression, up to about the largest
record of a topic (4 MB)."""

_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16
_SIZE = struct.Struct(">i")
_USUAL_RATIO: Final = 8
_LEAST_ROOM: Final = 1 << 16

Into = Callable[[memoryview, Any], int]


class Undecodable(ValueError):
    """Bytes that are not what their codec makes."""


class TooLarge(ValueError):
    """Bytes that become more than ``LARGEST_BATCH``."""


def decompressed(codec: int, body: memoryview) -> bytes:
    """The bytes of a batch's records; ``codec`` is not 0 (none).

    Raises:
        Undecodable: the bytes are not what the codec makes.
        TooLarge: they are more than ``LARGEST_BATCH``.
    """
    try:
        if codec == _SNAPPY:
            return _snappy(body)
        if codec in _STREAMS:
            return _stream(_STREAMS[codec], body)
    except (cramjam.DecompressionError, struct.error) as error:
        raise Undecodable(str(error)) from error
    raise Undecodable(f"codec {codec} is not known")


def _stream(decompress_into: Into, body: memoryview) -> bytes:
    """Into room that grows until it is enough. Only what is written to takes memory."""
    room = min(LARGEST_BATCH, max(_LEAST_ROOM, _USUAL_RATIO * len(body)))
    while True:
        output = np.empty(room, np.uint8)
        try:
            return output[: decompress_into(body, output)].tobytes()
        except cramjam.DecompressionError as error:
            if _FULL not in str(error):
                raise
        if room == LARGEST_BATCH:
            raise TooLarge(f"{len(body):,} bytes that become more than {LARGEST_BATCH >> 20} MB")
        room = min(LARGEST_BATCH, 4 * room)


def _snappy(body: memoryview) -> bytes:
    """One block, or the blocks of Java's snappy library, each after its size."""
    if body[: len(_XERIAL)] != _XERIAL:
        return _block(body, LARGEST_BATCH)
    blocks, place, left = [], _XERIAL_HEADER, LARGEST_BATCH
    while place < len(body):
        start = place + _SIZE.size
        size = _SIZE.unpack_from(body, place)[0]
        if not 0 <= size <= len(body) - start:
            raise Undecodable("a block of snappy is not complete")
        blocks.append(_block(body[start : start + size], left))
        left -= len(blocks[-1])
        place = start + size
    return b"".join(blocks)


def _block(block: memoryview, most: int) -> bytes:
    """Snappy says at its beginning what it becomes."""
    if cramjam.snappy.decompress_raw_len(block) > most:
        raise TooLarge(f"{len(block):,} bytes that become more than {LARGEST_BATCH >> 20} MB")
    return bytes(cramjam.snappy.decompress_raw(block))


_FULL: Final = "failed to write whole buffer"
"""What every codec of cramjam says when the room is not enough."""
_SNAPPY: Final = 2
_STREAMS: Final[dict[int, Into]] = {
    1: cramjam.gzip.decompress_into,
    3: cramjam.lz4.decompress_into,
    4: cramjam.zstd.decompress_into,
}
