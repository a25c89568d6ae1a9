"""The records of a changelog partition and how a state is found in them. Pure.

Three types of record, each with the random token of the owner who wrote it:

- **fence**: "I own this partition and have recovered what lies up to ``number``". Whatever other
  tokens write behind it is void.
- **part** ``index`` of ``count`` of checkpoint ``number``.
- **marker**: checkpoint ``number`` has ``count`` parts, and everything derived from it is
  acknowledged by the broker. Without its marker a checkpoint does not exist.

Log order alone decides: no clock and no group generation is trusted.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FORMAT_VERSION: Final = 1
LARGEST_PART: Final = 900_000

_HEAD: Final = struct.Struct("<cB16sIqII")
_FENCE, _PART, _MARKER = b"F", b"P", b"M"


class ChangelogError(Exception):
    """The changelog cannot be trusted: a hole in it, or a format of another version."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who writes: the random token and the epoch (number of fences so far, this one included)."""

    token: bytes
    epoch: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a changelog says: the newest valid checkpoint, if there is one."""

    body: bytes | None
    epoch: int
    last_offset: int


def fence(owner: Owner, recovered_to: int) -> bytes:
    """A fence after recovering records up to offset ``recovered_to`` (-1: none)."""
    return _HEAD.pack(_FENCE, FORMAT_VERSION, owner.token, owner.epoch, recovered_to, 0, 0)


def checkpoint_records(owner: Owner, number: int, body: bytes) -> tuple[list[bytes], bytes]:
    """The parts of a checkpoint and its marker, to be sent after all parts are acknowledged."""
    chunks = [body[i : i + LARGEST_PART] for i in range(0, len(body), LARGEST_PART)] or [b""]
    parts = [
        _HEAD.pack(_PART, FORMAT_VERSION, owner.token, owner.epoch, number, index, len(chunks))
        + chunk
        for index, chunk in enumerate(chunks)
    ]
    marker = _HEAD.pack(_MARKER, FORMAT_VERSION, owner.token, owner.epoch, number, 0, len(chunks))
    return parts, marker


def recover(records: Mapping[int, bytes]) -> Recovered:
    """The state in ``records`` (offset → value).

    Raises:
        ChangelogError: offsets are missing between the first and the last, or a record is of an
            unknown version.
    """
    offsets = sorted(records)
    if not offsets:
        return Recovered(None, 0, -1)
    if offsets[-1] - offsets[0] + 1 != len(offsets):
        raise ChangelogError(
            f"offsets {offsets[0]} to {offsets[-1]} hold only {len(offsets)} records"
        )
    token: bytes | None = None
    epoch = 0
    parts: dict[int, dict[int, bytes]] = {}
    found: list[tuple[int, bytes]] = []
    for offset in offsets:
        record = records[offset]
        kind, version, owner, owner_epoch, number, index, count = _HEAD.unpack_from(record)
        if version != FORMAT_VERSION:
            raise ChangelogError(f"record at offset {offset} has format version {version}")
        if kind == _FENCE:
            # Markers that the new owner had not read do not count for it, nor for us.
            while found and found[-1][0] > number:
                found.pop()
            token, epoch, parts = owner, max(epoch, owner_epoch), {}
            continue
        if token is None:
            token, epoch = owner, max(epoch, owner_epoch)  # its fence has been truncated away
        if owner != token:
            continue
        if kind == _PART:
            parts.setdefault(number, {})[index] = record[_HEAD.size :]
        elif kind == _MARKER and len(parts.get(number, ())) == count:
            pieces = parts.pop(number)
            found.append((offset, b"".join(pieces[i] for i in range(count))))
    body = found[-1][1] if found else None
    return Recovered(body, epoch, offsets[-1])
