"""A file as numbered lines: plain or gzip (told by content), in bounded memory."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self, cast

from agents.source import Line
from config.errors import RenownError, WrongUse
from schemas.dead_letter import LARGEST_KEPT_BODY
from schemas.topics import LARGEST_RECORD

LONGEST_LINE: Final = LARGEST_RECORD - 16 * 1024
"""Bytes of a line that still fit into a record with key and headers."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_BUFFER: Final = 1 << 16


class SourceDamaged(RenownError):
    """A file that cannot be read to its end."""


class LineFile:
    """An open file; use it as a context. ``size`` and ``consumed`` are bytes as stored on disk."""

    def __init__(self, path: Path) -> None:
        """Raises ``WrongUse`` if the file cannot be opened."""
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise WrongUse(
                f"cannot read {path}: {error.strerror or error}; give a file that can be read"
            ) from None
        self.size = path.stat().st_size
        packed = self._file.peek(2)[:2] == _GZIP_MAGIC
        self._stream: BinaryIO = cast(
            BinaryIO,
            io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=self._file)), _BUFFER)
            if packed
            else self._file,
        )

    @property
    def consumed(self) -> int:
        """How far the file has been read, at most ``size``."""
        return min(self._file.tell(), self.size)

    def lines(self, skip: int = 0) -> Iterator[Line]:
        """The lines after the first ``skip``; raises ``SourceDamaged`` where it cannot go on."""
        number = 0
        readline = self._stream.readline
        try:
            while body := readline(LONGEST_LINE + 2):
                number += 1
                cut = len(body) > LONGEST_LINE and not body.endswith(b"\n")
                if cut:
                    self._skip_rest()
                if number <= skip:
                    continue
                if number == 1:
                    body = body.removeprefix(_BOM)
                if cut:
                    yield Line(number, body[:LARGEST_KEPT_BODY], True)
                else:
                    yield Line(number, body.removesuffix(b"\n").removesuffix(b"\r"))
        except (EOFError, OSError, zlib.error) as error:
            raise SourceDamaged(
                f"{self.path} is damaged after line {number} ({error}): "
                "repair it or fetch it again; what came before that line was read"
            ) from None

    def _skip_rest(self) -> None:
        while (rest := self._stream.readline(_BUFFER)) and not rest.endswith(b"\n"):
            pass

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
