"""Jars from Maven, kept in a cache that several test runs may fill at the same time."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from config.errors import Unreachable

_DOWNLOAD_SECONDS = 160.0
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>renown.tests</groupId><artifactId>jars</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>{dependencies}</dependencies>
</project>
"""
_DEPENDENCY = (
    "<dependency><groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version>"
    "</dependency>"
)


def cache_folder() -> Path:
    """``RENOWN_TEST_CACHE`` or ``~/.cache/renown``."""
    return Path(os.environ.get("RENOWN_TEST_CACHE") or Path.home() / ".cache" / "renown")


def jars(name: str, coordinates: list[str]) -> Path:
    """The folder ``name`` with the jars of ``group:artifact:version`` and all they need.

    Raises ``Unreachable`` when they are not cached and Maven cannot get them.
    """
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / name
    with (cache / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one run downloads, the others wait for it
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=cache, prefix=f".{name}-") as scratch:
                _download(Path(scratch), coordinates)
                (Path(scratch) / "jars").rename(folder)  # whole or not at all
    return folder


def _download(scratch: Path, coordinates: list[str]) -> None:
    maven = shutil.which("mvn")
    if not maven:
        raise Unreachable("Maven (mvn) is not installed")
    wanted = "".join(_DEPENDENCY.format(*each.split(":")) for each in coordinates)
    (scratch / "pom.xml").write_text(_POM.format(dependencies=wanted))
    command = [
        *(maven, "-q", "-B", "-f", str(scratch / "pom.xml"), "dependency:copy-dependencies"),
        *("-DincludeScope=runtime", f"-DoutputDirectory={scratch / 'jars'}"),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"Maven did not end within {_DOWNLOAD_SECONDS:g} s") from None
    if done.returncode or not (scratch / "jars").is_dir():
        said = [line for line in done.stdout.splitlines() if "ERROR" in line] or ["no message"]
        raise Unreachable(f"Maven failed: {said[0]}")
