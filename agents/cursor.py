"""Where a source goes on after an interruption: one small file, replaced atomically.

It is bound to its source, so that the position in one file is never taken for one in another.
"""

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec

from config.errors import RenownError, Unreachable, WrongUse

_FINGERPRINTED: Final = 1 << 16

Identity = dict[str, str | int]
"""What a position belongs to; two sources differ in at least one value."""


class Position(msgspec.Struct, frozen=True):
    """Everything before this is published: whole passes over the file, then lines of the next."""

    passes: int = 0
    line: int = 0


class Cursor(msgspec.Struct, frozen=True):
    """Content of the file. ``state``: what the source counts, as JSON of its own."""

    v: int
    source: Identity
    position: Position
    state: msgspec.Raw


def file_identity(path: Path, format: str, options: Identity) -> Identity:
    """Identity of a file: place, size, format, its first 64 kB, and what else decides its items.

    Raises:
        WrongUse: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_FINGERPRINTED)
        size = path.stat().st_size
    except OSError as error:
        raise WrongUse(
            f"cannot read {path}: {error.strerror or error}; give a file that can be read"
        ) from None
    return {
        "path": str(path.resolve()),
        "size": size,
        "format": format,
        "fingerprint": hashlib.sha256(start).hexdigest()[:32],
        **options,
    }


class CursorFile:
    """The cursor of one source. Errors of the disk are ``Unreachable``."""

    def __init__(self, path: Path, source: Identity) -> None:
        self.path = path
        self._source = source

    @classmethod
    def within(cls, folder: Path, source: Identity) -> "CursorFile":
        """The cursor of ``source`` in a folder of cursors, named after it."""
        named = hashlib.sha256(msgspec.json.encode(source, order="sorted")).hexdigest()[:16]
        return cls(folder / f"{named}.json", source)

    def load(self) -> Cursor | None:
        """The position saved last; None if there is none yet.

        Raises:
            RenownError: the file is damaged or belongs to another source.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._trouble("read", error) from None
        again = "delete it to start from the beginning (what comes twice counts once)"
        try:
            cursor = msgspec.json.decode(content, type=Cursor)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise RenownError(f"the cursor {self.path} is damaged: {again}") from None
        if cursor.v != 1 or cursor.position.line < 0 or cursor.position.passes < 0:
            raise RenownError(f"the cursor {self.path} is of no known version: {again}")
        if cursor.source != self._source:
            other = cursor.source.get("path", "another source")
            raise WrongUse(
                f"the cursor {self.path} belongs to {other} as it was played then: "
                "name another cursor file or delete this one"
            )
        return cursor

    def save(self, position: Position, state: object) -> None:
        """Replace the file; after a crash there is the old or the new one, never a part."""
        content = msgspec.json.encode(
            Cursor(1, self._source, position, msgspec.Raw(msgspec.json.encode(state)))
        )
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise self._trouble("write", error) from None

    def clear(self) -> None:
        """Forget the position; the source then starts from its beginning."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._trouble("delete", error) from None

    def _trouble(self, verb: str, error: OSError) -> Unreachable:
        return Unreachable(
            f"cannot {verb} the cursor {self.path}: {error.strerror or error}; "
            "make its folder writable or choose another (RENOWN_DATA_DIR)"
        )


def _sync_folder(folder: Path) -> None:
    """Make the renaming durable too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
