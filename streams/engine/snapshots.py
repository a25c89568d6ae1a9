"""A snapshot as bytes: MessagePack in zstd, with what must be known before it is understood."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cramjam
import msgspec

from streams.engine.changelog import WHOLE_ONLY_VERSION, ChangelogError

_LEVEL: Final = 1


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
    """The bytes of a checkpoint."""
    envelope = {"partitions": partitions, "positions": positions, "state": state}
    return bytes(cramjam.zstd.compress(msgspec.msgpack.encode(envelope), _LEVEL))


def unpack(body: bytes, version: int) -> Snapshot:
    """What ``pack`` was given; ``version``: of the changelog's record.

    Raises:
        ChangelogError: it is not what ``pack`` makes.
    """
    try:
        held = msgspec.msgpack.decode(bytes(cramjam.zstd.decompress(body)))
        if version == WHOLE_ONLY_VERSION:
            return Snapshot(dict(held))
        return Snapshot(held["state"], held["positions"], held["partitions"])
    except (cramjam.DecompressionError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise ChangelogError(f"a checkpoint cannot be read: {error}") from error
