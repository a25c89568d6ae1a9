"""A disk of its own that can be full: a tmpfs of a few megabytes, where mounting is allowed."""

import errno
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_FILLER: Final = "filler"
_CHUNK: Final = bytes(1 << 16)
_PAGE: Final = 1 << 12


class SmallDisk:
    """An empty file system at ``folder`` while the context lasts."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._megabytes = megabytes

    def __enter__(self) -> Self:
        """Raises ``OSError`` with what ``mount`` said."""
        self.folder.mkdir(parents=True, exist_ok=True)
        said = _mount(self.folder, self._megabytes)
        if said:
            raise OSError(errno.EPERM, said, str(self.folder))
        return self

    def __exit__(self, *_: object) -> None:
        # lazily: whoever has a file open there may still end
        subprocess.run(["umount", "-l", str(self.folder)], check=True)

    def fill(self) -> None:
        """Leave no room for another byte."""
        with (self.folder / _FILLER).open("ab", buffering=0) as filler:
            for chunk in (_CHUNK, bytes(_PAGE), b"\0"):
                with suppress(OSError):
                    while filler.write(chunk) == len(chunk):
                        pass

    def make_room(self) -> None:
        """Take away what ``fill`` left."""
        (self.folder / _FILLER).unlink(missing_ok=True)


def unavailable() -> str:
    """Why there can be no such disk here; nothing if there can."""
    with tempfile.TemporaryDirectory(prefix="renown-disk-") as folder:
        said = _mount(Path(folder), 1)
        if not said:
            subprocess.run(["umount", folder], check=True)
    return f"a full disk needs a tmpfs, which this user may not mount: {said}" if said else ""


def _mount(folder: Path, megabytes: int) -> str:
    """What went wrong; nothing if it is mounted."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"mount: {error.strerror}"
    return done.stderr.strip() or "mount failed" if done.returncode else ""
