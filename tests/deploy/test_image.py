"""The image: what hadolint says, what goes in, and that its lock is a part of the whole one."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.compose import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
ROOMS = {"schemas", "config", "agents", "streams", "renown"}


def locked(path: Path) -> dict[str, set[str]]:
    """Package with version → its hashes."""
    found: dict[str, set[str]] = {}
    package = ""
    for line in path.read_text().splitlines():
        if line.startswith(" "):
            found[package].add(line.strip().removeprefix("--hash=").rstrip(" \\"))
        else:
            package = re.split(r"[ ;]", line)[0]
            found[package] = set()
    return found


def wanted(*extras: str) -> set[str]:
    """Names that pyproject.toml asks for, of these extras; without any, of none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [each for extra in extras for each in project["optional-dependencies"][extra]]
    names = {re.split(r"[\[<>=!~; ]", each)[0] for each in (asked or project["dependencies"])}
    return {name.lower().replace("_", "-") for name in names}


def instructions() -> list[str]:
    """The instructions, each on one line."""
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
    return [line for line in joined.splitlines() if line and not line.startswith("#")]


def test_hadolint_has_no_complaints() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is not in this environment: make setup")
    done = subprocess.run(
        [str(hadolint), "--no-color", str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_a_lock_of_the_image_is_a_part_of_the_whole_one(name: str) -> None:
    whole = locked(ROOT / "requirements.lock")
    part = locked(ROOT / "deploy" / name)
    assert part, f"deploy/{name} is empty: make lock"
    assert all(whole.get(package) == hashes for package, hashes in part.items()), "make lock"
    assert all(hashes for hashes in part.values())


def test_the_image_gets_what_it_needs_and_no_more() -> None:
    names = {package.split("==")[0] for package in locked(ROOT / "deploy" / "requirements.lock")}
    assert wanted() <= names, "make lock"
    assert not wanted("embedded", "dev") & names
    assert {each.split("==")[0] for each in locked(ROOT / "deploy" / "build.lock")} == {
        "setuptools"
    }


def test_every_download_is_checked() -> None:
    installs = re.findall(r"pip install ([^&]*)", " ".join(instructions()))
    assert len(installs) == 3
    for options in installs:
        assert "--require-hashes --only-binary :all:" in options or "--no-index" in options


def test_the_base_is_pinned_and_the_user_is_nobody_special() -> None:
    lines = instructions()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert [base for base in bases if base != "base"] == ["python:3.11.13-slim-bookworm"]
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    assert any("org.opencontainers.image.licenses" in line for line in lines)
    last = next(n for n in range(len(lines) - 1, 0, -1) if lines[n].startswith("FROM "))
    assert not any(re.search("apt-get|gcc|pip install", line) for line in lines[last:])


def test_every_room_is_copied_and_nothing_else_gets_in() -> None:
    copied = {
        name
        for line in instructions()
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }
    let_in = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)
    assert {name for name in copied if (ROOT / name).is_dir()} == ROOMS
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert {room + "*" for room in ROOMS} <= set(built["packages"]["find"]["include"])
