"""A Grafana dashboard's JSON as the little of it that a picture needs."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from config.errors import WrongUse

COLUMNS: Final = 24
"""Width of Grafana's grid."""

DRAWN: Final = ("row", "stat", "gauge", "bargauge", "timeseries", "table", "text")
_LABEL: Final = re.compile(r"\{\{\s*([^}\s]+)\s*\}\}")
_AUTO: Final = ("", "__auto")

Json = Mapping[str, Any]
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """A query: PromQL, or SQL if ``sql``. ``instant``: of the newest moment only."""

    query: str
    legend: str = ""
    sql: bool = False
    instant: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """How values look. ``thresholds``: (from, colour) ascending, the first from minus infinity."""

    unit: str = "short"
    decimals: int | None = None
    low: float | None = None
    high: float | None = None
    color: str = ""
    thresholds: tuple[tuple[float, str], ...] = ()
    mappings: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Value → its text and colour."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel and its place on the grid: ``x``, ``y``, ``w``, ``h`` in cells."""

    title: str
    kind: str
    x: int
    y: int
    w: int
    h: int
    targets: tuple[Target, ...]
    look: Field
    options: Json
    custom: Json
    overrides: tuple[Json, ...]
    transformations: tuple[Json, ...]

    def look_of(self, name: str) -> Field:
        """How the series or column ``name`` looks."""
        look = self.look
        for override in self.overrides:
            if _matches(override["matcher"], name):
                settings = {p["id"]: p.get("value") for p in override.get("properties", ())}
                look = _changed(look, settings)
        return look


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Title, panels by place, and the values of its variables."""

    title: str
    panels: tuple[Panel, ...]
    variables: Mapping[str, str]


def read_dashboard(path: Path) -> Dashboard:
    """The dashboard in a file; raises ``WrongUse`` if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongUse(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise WrongUse(f"{path} is no dashboard: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("panels"), list):
        raise WrongUse(f"{path} is no dashboard: it has no panels")
    panels = sorted(map(_panel, content["panels"]), key=lambda panel: (panel.y, panel.x))
    drawn = tuple(panel for panel in panels if panel.kind in DRAWN)
    return Dashboard(str(content.get("title", path.stem)), drawn, dict(_variables(content)))


def legend_of(template: str, labels: Labels, others: Sequence[Labels], title: str) -> str:
    """The name of a series: ``{{label}}`` filled in, or what tells it from the ``others``.

    ``others``: labels of all series of the same target, this one among them.
    """
    if template not in _AUTO:
        return _LABEL.sub(lambda found: labels.get(found[1], ""), template).strip() or title
    names = sorted({name for each in others for name in each} - {"__name__"})
    telling = [name for name in names if len({each.get(name) for each in others}) > 1]
    if not telling:
        return labels.get("__name__", "") or title
    if len(telling) == 1:
        return labels.get(telling[0], "")
    return ", ".join(f"{name}={labels.get(name, '')}" for name in telling)


def _panel(content: Json) -> Panel:
    place = content.get("gridPos", {})
    config = content.get("fieldConfig", {})
    defaults = config.get("defaults", {})
    table = content.get("type") == "table"
    return Panel(
        title=str(content.get("title", "")),
        kind=str(content.get("type", "")),
        x=int(place.get("x", 0)),
        y=int(place.get("y", 0)),
        w=int(place.get("w", COLUMNS)),
        h=int(place.get("h", 8)),
        targets=tuple(_target(t, table) for t in content.get("targets", ()) if not t.get("hide")),
        look=_changed(Field(), defaults),
        options=content.get("options", {}),
        custom=defaults.get("custom", {}),
        overrides=tuple(config.get("overrides", ())),
        transformations=tuple(content.get("transformations", ())),
    )


def _target(content: Json, table: bool) -> Target:
    if sql := content.get("rawSql"):
        return Target(sql, sql=True, instant=table)
    instant = bool(content.get("instant")) or content.get("format") == "table"
    return Target(content.get("expr", ""), content.get("legendFormat", ""), instant=instant)


def _changed(look: Field, settings: Json) -> Field:
    """``look`` with what Grafana's field settings say otherwise."""
    steps = (settings.get("thresholds") or {}).get("steps")
    color = settings.get("color") or {}
    low, high = settings.get("min"), settings.get("max")
    decimals = settings.get("decimals")
    return Field(
        unit=settings.get("unit") or look.unit,
        decimals=look.decimals if decimals is None else int(decimals),
        low=look.low if low is None else float(low),
        high=look.high if high is None else float(high),
        color=color.get("fixedColor", "") if color.get("mode") == "fixed" else look.color,
        thresholds=look.thresholds if steps is None else tuple(map(_step, steps)),
        mappings={**look.mappings, **dict(_mappings(settings.get("mappings") or ()))},
    )


def _step(content: Json) -> tuple[float, str]:
    value = content.get("value")
    return float("-inf") if value is None else float(value), str(content.get("color", ""))


def _mappings(contents: Sequence[Json]) -> Iterator[tuple[str, tuple[str, str]]]:
    for content in contents:
        options = content.get("options", {})
        if content.get("type") == "value":
            for value, shown in options.items():
                yield value, (str(shown.get("text", value)), str(shown.get("color", "")))
        elif content.get("type") == "special" and options.get("match") in ("null", "null+nan"):
            shown = options.get("result", {})
            yield "null", (str(shown.get("text", "")), str(shown.get("color", "")))


def _matches(matcher: Json, name: str) -> bool:
    option = matcher.get("options")
    if matcher.get("id") == "byName":
        return bool(option == name)
    if matcher.get("id") == "byRegexp":
        return re.search(str(option).strip("/"), name) is not None
    return False


def _variables(content: Json) -> Iterator[tuple[str, str]]:
    for variable in content.get("templating", {}).get("list", ()):
        value = variable.get("current", {}).get("value", "")
        if isinstance(value, list):
            value = "|".join(map(str, value))
        if value == "$__all" or (value == "" and variable.get("type") != "textbox"):
            value = variable.get("allValue") or ".*"
        yield str(variable["name"]), str(value)
