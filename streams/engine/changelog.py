"""The records of a changelog partition and how a state is found in them. Pure.

Three types of record, each with the random token of the owner who wrote it:

- **fence**: "I own this partition and have recovered what lies up to ``number``". Whatever other
  tokens write behind it is void.
- **part** ``index`` of ``count`` of checkpoint ``number``.
- **marker**: checkpoint ``number`` has ``count`` parts, and everything derived from it is
  acknowledged by the broker. Without its marker a checkpoint does not exist. It names the oldest
  checkpoint that is needed to restore this one (itself, if it is whole).

Numbers of valid checkpoints ascend by one, over all owners. Log order alone decides: no clock and
no group generation is trusted.

Version 1 knew whole checkpoints only, and every owner counted from 0; it is still read.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FORMAT_VERSION: Final = 2
WHOLE_ONLY_VERSION: Final = 1
LARGEST_PART: Final = 900_000

_HEAD: Final = struct.Struct("<cB16sIqII")
_OLDEST: Final = struct.Struct("<q")
_FENCE, _PART, _MARKER = b"F", b"P", b"M"


class ChangelogError(Exception):
    """The changelog cannot be trusted: a hole in it, or a format of another version."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who writes: the random token and the epoch (number of fences so far, this one included)."""

    token: bytes
    epoch: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint in the log: ``start`` is the offset of its first part."""

    number: int
    oldest: int
    start: int
    marker: int
    version: int
    pieces: tuple[memoryview, ...]

    @property
    def body(self) -> bytes:
        """Its parts, joined."""
        return b"".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a changelog says.

    ``checkpoints``: those that the newest valid one needs, consecutive, itself last; empty if there
    is none. ``epoch``: the highest of any owner; ``last_offset``: of the log, -1 if it is empty.
    """

    checkpoints: tuple[Kept, ...]
    epoch: int
    last_offset: int

    @property
    def next_number(self) -> int:
        """The number of the checkpoint that comes next."""
        return self.checkpoints[-1].number + 1 if self.checkpoints else 0


def fence(owner: Owner, recovered_to: int) -> bytes:
    """A fence after recovering records up to offset ``recovered_to`` (-1: none)."""
    return _HEAD.pack(_FENCE, FORMAT_VERSION, owner.token, owner.epoch, recovered_to, 0, 0)


def checkpoint_records(
    owner: Owner, number: int, body: bytes, oldest: int | None = None
) -> tuple[list[bytes], bytes]:
    """The parts of a checkpoint and its marker, to be sent after all parts are acknowledged.

    ``oldest``: number of the oldest checkpoint that it needs; itself by default.
    """
    whole = memoryview(body)
    chunks = [whole[i : i + LARGEST_PART] for i in range(0, len(body), LARGEST_PART)] or [whole]
    count = len(chunks)

    def head(kind: bytes, index: int) -> bytes:
        return _HEAD.pack(kind, FORMAT_VERSION, owner.token, owner.epoch, number, index, count)

    parts = [b"".join((head(_PART, index), chunk)) for index, chunk in enumerate(chunks)]
    return parts, head(_MARKER, 0) + _OLDEST.pack(number if oldest is None else oldest)


@dataclass(slots=True)
class _Parts:
    start: int
    pieces: dict[int, memoryview]


def recover(records: Mapping[int, bytes]) -> Recovered:
    """The state in ``records`` (offset → value).

    Raises:
        ChangelogError: offsets are missing between the first and the last, a checkpoint that is
            needed is missing, or a record is of an unknown version.
    """
    offsets = sorted(records)
    if not offsets:
        return Recovered((), 0, -1)
    if offsets[-1] - offsets[0] + 1 != len(offsets):
        raise ChangelogError(
            f"offsets {offsets[0]} to {offsets[-1]} hold only {len(offsets)} records"
        )
    token: bytes | None = None
    epoch = 0
    parts: dict[int, _Parts] = {}
    found: list[Kept] = []
    for offset in offsets:
        record = records[offset]
        kind, version, owner, owner_epoch, number, index, count = _head(offset, record)
        if kind == _FENCE:
            # Markers that the new owner had not read do not count for it, nor for us.
            while found and found[-1].marker > number:
                found.pop()
            token, epoch, parts = owner, max(epoch, owner_epoch), {}
            continue
        if token is None:
            token, epoch = owner, max(epoch, owner_epoch)  # its fence has been truncated away
        if owner != token:
            continue
        if kind == _PART:
            pieces = parts.setdefault(number, _Parts(offset, {})).pieces
            pieces[index] = memoryview(record)[_HEAD.size :]
        elif kind == _MARKER and number in parts and len(parts[number].pieces) == count:
            done = parts.pop(number)
            oldest = number if version == WHOLE_ONLY_VERSION else _OLDEST.unpack_from(record, -8)[0]
            joined = tuple(done.pieces[i] for i in range(count))
            found.append(Kept(number, oldest, done.start, offset, version, joined))
        elif kind == _MARKER and found:
            raise ChangelogError(f"parts of checkpoint {number} are missing before offset {offset}")
    return Recovered(_needed(found), epoch, offsets[-1])


def _head(offset: int, record: bytes) -> tuple[bytes, int, bytes, int, int, int, int]:
    if len(record) < _HEAD.size:
        raise ChangelogError(f"record at offset {offset} has only {len(record)} bytes")
    head: tuple[bytes, int, bytes, int, int, int, int] = _HEAD.unpack_from(record)
    if head[1] not in (FORMAT_VERSION, WHOLE_ONLY_VERSION):
        raise ChangelogError(f"record at offset {offset} has format version {head[1]}")
    return head


def _needed(found: list[Kept]) -> tuple[Kept, ...]:
    """The newest checkpoint and those before it that it needs."""
    if not found:
        return ()
    newest = found[-1]
    count = newest.number - newest.oldest + 1
    chain = tuple(found[-count:])
    if [kept.number for kept in chain] != list(range(newest.oldest, newest.number + 1)):
        raise ChangelogError(
            f"checkpoint {newest.number} needs those from {newest.oldest} on, but the log holds "
            f"only {', '.join(str(kept.number) for kept in chain)}"
        )
    return chain
