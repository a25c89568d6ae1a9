"""A snapshot as bytes: MessagePack in zstd, with what must be known before it is understood.

Numpy arrays may be in it. They travel as raw little-endian memory, without a Python object per
number, and come back as arrays of their own, which may be written to.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cramjam
import msgspec
import numpy as np

from streams.engine.changelog import WHOLE_ONLY_VERSION, ChangelogError

_LEVEL: Final = 1
_ARRAY: Final = 1
"""MessagePack's code for an array."""
_KINDS: Final = "biuf"
_HEAD: Final = struct.Struct("<3sB")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one checkpoint holds.

    ``state``: as the state gave it. ``positions``: input topic → next offset; ``partitions``: of
    the topics when it was taken. Both are None in checkpoints of version 1.
    """

    state: dict[str, Any]
    positions: dict[str, int] | None = None
    partitions: int | None = None


def pack(state: Mapping[str, Any], positions: Mapping[str, int], partitions: int) -> bytes:
    """The bytes of a checkpoint. Compression, which takes longest, does not hold the GIL."""
    envelope = {"partitions": partitions, "positions": positions, "state": state}
    return bytes(cramjam.zstd.compress(_encoder.encode(envelope), _LEVEL))


def unpack(body: bytes, version: int) -> Snapshot:
    """What ``pack`` was given; ``version``: of the changelog's record.

    Raises:
        ChangelogError: it is not what ``pack`` makes.
    """
    try:
        held = _decoder.decode(memoryview(cramjam.zstd.decompress(body)))
        if version == WHOLE_ONLY_VERSION:
            return Snapshot(dict(held))
        return Snapshot(held["state"], held["positions"], held["partitions"])
    except (cramjam.DecompressionError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise ChangelogError(f"a checkpoint cannot be read: {error}") from error


def _encode(value: Any) -> msgspec.msgpack.Ext | int | float | bool:
    if isinstance(value, np.generic):
        return value.item()  # type: ignore[no-any-return]
    if not isinstance(value, np.ndarray) or value.dtype.kind not in _KINDS:
        raise TypeError(f"a snapshot cannot hold {type(value).__name__} {value!r:.60}")
    flat = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).reshape(-1)
    head = _HEAD.pack(flat.dtype.str.encode(), value.ndim)
    shape = struct.pack(f"<{value.ndim}Q", *value.shape)
    return msgspec.msgpack.Ext(_ARRAY, b"".join((head, shape, flat.view(np.uint8).data)))


def _decode(code: int, data: memoryview) -> Any:
    if code != _ARRAY:
        raise TypeError(f"unknown extension {code}")
    name, dimensions = _HEAD.unpack_from(data)
    shape = struct.unpack_from(f"<{dimensions}Q", data, _HEAD.size)
    begin = _HEAD.size + 8 * dimensions
    # A copy is aligned and may be written to, which compiled kernels want.
    return np.frombuffer(data[begin:], np.dtype(name.decode())).reshape(shape).copy()


_encoder: Final = msgspec.msgpack.Encoder(enc_hook=_encode)
_decoder: Final = msgspec.msgpack.Decoder(ext_hook=_decode)
