"""Checkpoints in files, for workers that share a disk and a broker whose log should stay small.

The changelog then holds a reference in place of a checkpoint's body: fences, order and markers mean
what they always mean. A file is complete before its reference is sent, and it is deleted only by
the owner who wrote it, or by one who has recovered after that and stored a checkpoint of its own.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import xxhash

from streams.engine.changelog import ChangelogError, Owner

ASKED: Final = "asked"
"""While a file of this name lies in the folder, its workers do not wait with checkpoints."""

_REFERENCE: Final = b"FILE "
"""How a reference begins; a body begins as zstd does."""
_NEEDLESS: Final = -1
"""In place of the number of a file that no valid checkpoint refers to."""


class CheckpointFiles:
    """The checkpoints of one stage; ``folder`` None: none of them is in a file.

    ``kept_seconds``: how long what nobody needs is kept still. An owner that was fenced off does
    not know it for a while, and what it thinks needless may be what its successor goes on from.
    """

    def __init__(self, folder: Path | None, stage: str, kept_seconds: float = 0.0) -> None:
        self._folder = folder
        self._stage = stage
        self._kept_seconds = kept_seconds
        self._waiting: dict[int, list[tuple[float, Path]]] = defaultdict(list)
        self._kept: dict[int, list[tuple[int, Path]]] = defaultdict(list)

    def put(self, partition: int, owner: Owner, number: int, body: bytes) -> bytes:
        """Store ``body``; returns what the changelog is to hold for it."""
        if self._folder is None:
            return body
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._stage}-{partition}-{owner.token.hex()}-{number}"
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _keep_names(self._folder)
        self._kept[partition].append((number, path))
        return _REFERENCE + f"{xxhash.xxh64_hexdigest(body)} {path.name}".encode()

    def get(self, held: bytes) -> bytes:
        """The body for what the changelog holds.

        Raises:
            ChangelogError: it is a reference to a file that is missing or not as it was.
        """
        if not held.startswith(_REFERENCE):
            return held
        digest, _, name = held.removeprefix(_REFERENCE).decode().partition(" ")
        if self._folder is None:
            raise ChangelogError(f"the checkpoint is in file {name}: set RENOWN_CHECKPOINT_DIR")
        try:
            body = (self._folder / Path(name).name).read_bytes()
        except OSError as error:
            raise ChangelogError(f"checkpoint {error.filename}: {error.strerror}") from error
        if xxhash.xxh64_hexdigest(body) != digest:
            raise ChangelogError(f"checkpoint {self._folder / name} is not what was stored")
        return body

    def recovered(self, partition: int, held: Iterable[tuple[int, bytes]] = ()) -> None:
        """This worker owns ``partition`` from now on.

        ``held``: number and content of the checkpoints in the changelog that are needed.
        """
        self._waiting[partition] = []
        self._kept[partition] = []
        if self._folder is None:
            return
        numbers = {_name(content): number for number, content in held}
        self._kept[partition] = [
            (numbers.get(path.name, _NEEDLESS), path)
            for path in self._folder.glob(f"{self._stage}-{partition}-*")
        ]

    def stored(self, partition: int, oldest: int) -> None:
        """The marker of the last ``put`` is durable; nobody needs what is older than ``oldest``."""
        now, kept, waiting = time.monotonic(), self._kept[partition], self._waiting[partition]
        waiting += [(now, path) for number, path in kept if number < oldest]
        self._kept[partition] = [each for each in kept if each[0] >= oldest]
        for _since, path in [each for each in waiting if each[0] <= now - self._kept_seconds]:
            path.unlink(missing_ok=True)
        waiting[:] = [each for each in waiting if each[0] > now - self._kept_seconds]


def _keep_names(folder: Path) -> None:
    """Make sure that the names in ``folder`` outlive a loss of power, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name(held: bytes) -> str:
    """The name of the file that a reference means; nothing if ``held`` is no reference."""
    return held.rpartition(b" ")[2].decode() if held.startswith(_REFERENCE) else ""
