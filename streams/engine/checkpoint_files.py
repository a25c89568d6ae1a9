"""Checkpoints in files, for workers that share a disk and a broker whose log should stay small.

The changelog then holds a reference in place of a checkpoint's body: fences, order and markers mean
what they always mean. A file is complete before its reference is sent, and it is deleted only by
the owner who wrote it, or by one who has recovered after that and stored a checkpoint of its own.
"""

import time
from collections import defaultdict
from pathlib import Path
from typing import Final

import xxhash

from streams.engine.changelog import ChangelogError, Owner

ASKED: Final = "asked"
"""While a file of this name lies in the folder, its workers do not wait with checkpoints."""

_REFERENCE: Final = b"FILE "
"""How a reference begins; a body begins as zstd does."""
_KEPT: Final = 2


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
        self._mine: dict[int, list[Path]] = defaultdict(list)
        self._before: dict[int, list[Path]] = {}

    def put(self, partition: int, owner: Owner, number: int, body: bytes) -> bytes:
        """Store ``body``; returns what the changelog is to hold for it."""
        if self._folder is None:
            return body
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._stage}-{partition}-{owner.token.hex()}-{number}"
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(body)
        unfinished.replace(path)
        self._mine[partition].append(path)
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

    def recovered(self, partition: int) -> None:
        """This worker owns ``partition`` from now on."""
        self._mine[partition] = []
        self._waiting[partition] = []
        if self._folder is not None:
            self._before[partition] = list(self._folder.glob(f"{self._stage}-{partition}-*"))

    def stored(self, partition: int) -> None:
        """The marker of the last ``put`` is durable: forget what nobody needs any more."""
        mine = self._mine[partition]
        now, waiting = time.monotonic(), self._waiting[partition]
        waiting += [(now, path) for path in [*self._before.pop(partition, []), *mine[:-_KEPT]]]
        del mine[:-_KEPT]
        for _since, path in [each for each in waiting if each[0] <= now - self._kept_seconds]:
            path.unlink(missing_ok=True)
        waiting[:] = [each for each in waiting if each[0] > now - self._kept_seconds]
