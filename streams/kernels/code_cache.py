"""Where the machine code of the kernels is kept.

numba notices that a kernel's own file has changed, but not that one has whose functions it calls.
So the code of a module is kept under a hash of its source and of all kernel modules it imports.

The first of these folders that can be written is used: NUMBA_CACHE_DIR, one beside the sources,
one in the user's cache, one for this user among the temporary files. What lies in an earlier one
that cannot be written (the image of a container, say) is copied from there.
"""

import hashlib
import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

_SOURCES: Final = Path(__file__).parent
_IMPORTED: Final = re.compile(r"^from streams\.kernels\.(\w+) import", re.MULTILINE)
_READY: Final = "ready"


def folder_for(module: str) -> Path | None:
    """The folder for the code of ``streams.kernels.<module>``; None: nothing can be kept."""
    base = _base()
    return base / _digest(_with_imports(module.rpartition(".")[2])) if base else None


def is_ready() -> bool:
    """Whether all kernels of this version were compiled on this machine and are kept."""
    return (mark := _mark()) is not None and mark.exists()


def make_ready() -> None:
    """Note that all kernels are compiled."""
    if mark := _mark():
        mark.touch()


def _mark() -> Path | None:
    modules = frozenset(path.stem for path in _SOURCES.glob("*.py"))
    base = _base()
    return base / f"{_READY}-{_digest(modules)}" if base else None


@cache
def _with_imports(module: str) -> frozenset[str]:
    """A kernel module and all that it imports, directly or not."""
    found, waiting = {module}, [module]
    while waiting:
        new = set(_IMPORTED.findall(_source(waiting.pop()))) - found
        found |= new
        waiting += new
    return frozenset(found)


def _source(module: str) -> str:
    path = _SOURCES / f"{module}.py"
    return path.read_text() if path.exists() else ""


def _digest(modules: frozenset[str]) -> str:
    texts = "\0".join(_source(module) for module in sorted(modules))
    return hashlib.sha256(texts.encode()).hexdigest()[:16]


@cache
def _base() -> Path | None:
    """The folder that is used; it is made, and filled from those that cannot be written."""
    read_only: list[Path] = []
    for base in _candidates():
        if _can_write(base):
            for other in read_only:
                _copy_new(other, base)
            return base
        if base.is_dir() and os.access(base, os.R_OK | os.X_OK):
            read_only.append(base)
    return None


def _copy_new(source: Path, target: Path) -> None:
    """Copy what ``target`` lacks; each thing appears there complete."""
    for entry in source.iterdir():
        if not (target / entry.name).exists():
            with tempfile.TemporaryDirectory(dir=target) as unfinished:
                copy = Path(unfinished) / entry.name
                if entry.is_dir():
                    shutil.copytree(entry, copy)
                else:
                    shutil.copyfile(entry, copy)
                with suppress(OSError):  # another process was quicker
                    copy.rename(target / entry.name)


def _candidates() -> list[Path]:
    asked = os.environ.get("NUMBA_CACHE_DIR")
    user = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    temporary = Path(tempfile.gettempdir()) / f"renown-kernels-{os.getuid()}"
    beside = _SOURCES / "__pycache__" / "code"
    return [*([Path(asked)] if asked else []), beside, Path(user) / "renown" / "kernels", temporary]


def _can_write(folder: Path) -> bool:
    """Whether ``folder`` is ours (code is run from there) and a file can be made in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.stat()
        if about.st_uid != os.getuid() or about.st_mode & stat.S_IWOTH:
            return False
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
