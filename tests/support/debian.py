"""Programs from Debian packages: those on the path, else unpacked into the tests' cache."""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest

from config.errors import Unreachable
from tests.support.maven import cache_folder

_DOWNLOAD_SECONDS: Final = 120.0
_PACKAGES: Final = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
}
"""Program → package that has it."""

_DEBIAN_NAMES: Final = {"alertmanager": "prometheus-alertmanager"}


def program(name: str) -> Path:
    """Where the program ``name`` is; raises ``Unreachable`` saying what is missing.

    A package is downloaded and unpacked once, whoever runs the tests: no root is needed, nothing
    is installed, and test runs at the same time wait for the first.
    """
    file = _DEBIAN_NAMES.get(name, name)
    if found := shutil.which(name) or shutil.which(file):
        return Path(found)
    return unpacked(_PACKAGES[name]) / "usr" / "bin" / file


def need(name: str) -> str:
    """The program ``name``, or the running test is skipped."""
    try:
        return str(program(name))
    except Unreachable as error:
        pytest.skip(f"{name} cannot be had: {error}")


def unpacked(package: str) -> Path:
    """The folder with the files of ``package``; raises ``Unreachable``."""
    cache = cache_folder() / "debian"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / package
    with (cache / f".{package}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=cache, prefix=f".{package}-") as scratch:
                _download(package, Path(scratch))
                (Path(scratch) / "files").rename(folder)  # whole or not at all
    return folder


def _download(package: str, scratch: Path) -> None:
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise Unreachable(f"it is not on the path, and {tool} is not here to fetch {package}")
    _run(["apt-get", "download", package], scratch, f"apt-get cannot download {package}")
    archives = list(scratch.glob("*.deb"))
    if not archives:
        raise Unreachable(f"apt-get downloaded no {package}")
    _run(
        ["dpkg-deb", "-x", str(archives[0]), str(scratch / "files")],
        scratch,
        f"dpkg-deb cannot unpack {package}",
    )


def _run(command: list[str], folder: Path, trouble: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{trouble} within {_DOWNLOAD_SECONDS:g} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise Unreachable(f"{trouble}: {said[-1]}")
