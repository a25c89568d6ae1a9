"""The Prometheus rules of ``deploy/``, and the same with all their times made shorter."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

PROMETHEUS: Final = Path(__file__).parents[2] / "deploy" / "prometheus"
RULES: Final = PROMETHEUS / "rules"

LIMIT: Final = "renown:limit:"
"""How the recording rules begin that hold a limit; a test may set others."""

_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION: Final = r"(?:\d+(?:ms|[smhdw]))+"
_IN_EXPRESSION: Final = re.compile(
    rf"\[(?P<range>{_DURATION})(?P<colon>:)?(?P<step>{_DURATION})?\]"
    rf"|offset\s+(?P<offset>{_DURATION})"
)
_SHORTEST_RANGE_MS: Final = 3000
"""With a scrape a second a shorter one would hold less than the two samples that a rate needs."""


def rule_files() -> list[Path]:
    """The files of rules."""
    return sorted(RULES.glob("*.yml"))


def load(path: Path) -> dict[str, Any]:
    """A file of rules."""
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def every_rule() -> Iterator[dict[str, Any]]:
    """All rules of all files, in their order."""
    for path in rule_files():
        for group in load(path)["groups"]:
            yield from group["rules"]


def alerting_rules() -> dict[str, dict[str, Any]]:
    """Name of an alert → its rule."""
    return {rule["alert"]: rule for rule in every_rule() if "alert" in rule}


def limits() -> dict[str, float]:
    """Name of a limit, without its prefix → its value."""
    return {
        rule["record"].removeprefix(LIMIT): float(rule["expr"].removeprefix("vector(")[:-1])
        for rule in every_rule()
        if rule.get("record", "").startswith(LIMIT)
    }


def shortened(
    rules: dict[str, Any], factor: float, other_limits: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """``rules`` with every waiting time, window and offset divided by ``factor``.

    Limits stay as they are, whatever their unit, unless ``other_limits`` names them (without
    prefix): how long a canary takes does not depend on how long an alert waits.
    """
    groups = []
    for group in rules["groups"]:
        changed = {**group, "rules": [_shorter_rule(rule, factor) for rule in group["rules"]]}
        if "interval" in group:
            changed["interval"] = divided(group["interval"], factor)
        groups.append(changed)
    for name, value in (other_limits or {}).items():
        for group in groups:
            for rule in group["rules"]:
                if rule.get("record") == LIMIT + name:
                    rule["expr"] = f"vector({value:g})"
    return {**rules, "groups": groups}


def write_shortened(
    folder: Path, factor: float, other_limits: Mapping[str, float] | None = None
) -> list[Path]:
    """All rules, shortened, as files in ``folder``."""
    if unknown := set(other_limits or {}) - set(limits()):
        raise ValueError(f"there are no limits {', '.join(sorted(unknown))}")
    written = []
    for path in rule_files():
        target = folder / path.name
        target.write_text(yaml.safe_dump(shortened(load(path), factor, other_limits)))
        written.append(target)
    return written


def milliseconds(duration: str) -> int:
    """A duration as Prometheus writes it, in ms."""
    pieces = re.findall(r"(\d+)(ms|[smhdw])", duration)
    return sum(int(number) * _MS[unit] for number, unit in pieces)


def divided(duration: str, factor: float, shortest_ms: int = 1) -> str:
    """``duration`` divided by ``factor``, in ms."""
    if milliseconds(duration) == 0:
        return duration
    return f"{max(round(milliseconds(duration) / factor), shortest_ms)}ms"


def _shorter_rule(rule: dict[str, Any], factor: float) -> dict[str, Any]:
    changed = {
        **rule,
        "expr": _IN_EXPRESSION.sub(lambda found: _shorter(found, factor), rule["expr"]),
    }
    for waiting in ("for", "keep_firing_for"):
        if waiting in rule:
            changed[waiting] = divided(rule[waiting], factor)
    return changed


def _shorter(found: re.Match[str], factor: float) -> str:
    if found["offset"]:
        return f"offset {divided(found['offset'], factor)}"
    step = divided(found["step"], factor) if found["step"] else ""
    return f"[{divided(found['range'], factor, _SHORTEST_RANGE_MS)}{found['colon'] or ''}{step}]"
