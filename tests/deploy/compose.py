"""The compose file as Docker would read it, and the environment that ``make env`` makes for it."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = ROOT / "docker-compose.yml"
EXAMPLE: Final = ROOT / "deploy" / "env.example"

_VARIABLE: Final = re.compile(r"\$(?:\$|\{(\w+)(?:(:?[-?])([^}]*))?\}|(\w+))")


class Missing(ValueError):
    """A variable that must be set is not; Docker would stop here."""


def made_env(folder: Path) -> dict[str, str]:
    """What ``make env`` writes."""
    file = folder / ".env"
    subprocess.run(["sh", str(ROOT / "deploy" / "make-env"), str(file)], check=True, timeout=30)
    return read_env(file)


def read_env(file: Path) -> dict[str, str]:
    """The variables of a file of lines NAME=value."""
    lines = (line.split("=", 1) for line in file.read_text().splitlines())
    return {line[0]: line[1] for line in lines if len(line) == 2 and re.fullmatch(r"\w+", line[0])}


def interpolated(value: Any, environment: Mapping[str, str]) -> Any:
    """``value`` with its variables filled in as compose does; raises ``Missing``."""
    if isinstance(value, dict):
        return {key: interpolated(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, environment) for each in value]
    if not isinstance(value, str):
        return value

    def filled(found: re.Match[str]) -> str:
        name, way, text = found[1] or found[4], found[2] or "", found[3]
        if not name:
            return "$"
        present = name in environment and not (way.startswith(":") and not environment[name])
        if present or not way:
            return environment.get(name, "")
        if way.endswith("?"):
            raise Missing(f"{name}: {text}")
        return str(text)

    return _VARIABLE.sub(filled, value)


def variables() -> dict[str, str]:
    """Variable that the file uses → how: ``?`` and ``:?`` must be set, ``:-`` has a default."""
    raw = "\n".join(
        line for line in COMPOSE.read_text().splitlines() if not line.lstrip().startswith("#")
    )
    return {found[1]: found[2] or "" for found in _VARIABLE.finditer(raw) if found[1]}


def compose(environment: Mapping[str, str]) -> dict[str, Any]:
    """The whole file, ready for use."""
    content: dict[str, Any] = interpolated(yaml.safe_load(COMPOSE.read_text()), environment)
    return content
