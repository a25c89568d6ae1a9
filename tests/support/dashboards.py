"""Every query of the Grafana dashboards as it is sent, with Grafana's own parts filled in."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

GRAFANA: Final = Path(__file__).parents[2] / "deploy" / "grafana"
DASHBOARDS: Final = GRAFANA / "dashboards"

PROMQL, SQL = "promql", "sql"
_KINDS: Final = {"prometheus": PROMQL, "grafana-clickhouse-datasource": SQL}

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)\]\]|\$(\w+)")
_MACRO: Final = re.compile(r"\$__(\w+)\(([^()]*)\)")
_LABEL_VALUES: Final = re.compile(r"label_values\((?:(.+),\s*)?(\w+)\)")


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel, or of a variable (``panel`` then starts with ``$``).

    ``kind``: ``promql`` or ``sql``. ``text``: ready to be sent.
    """

    dashboard: str
    panel: str
    kind: str
    text: str


class UnknownVariable(ValueError):
    """A query uses a variable that neither Grafana nor its dashboard knows."""


def dashboards() -> dict[str, dict[str, Any]]:
    """Name of the file without its ending → dashboard."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, those inside of rows included."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", ())


def queries(
    values: Mapping[str, str] | None = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Query]:
    """The queries of all dashboards. ``values``: variable → text, else the dashboard's default.

    ``since``, ``until``: the time range of the dashboard, in UTC; default the last 24 hours.
    Raises ``UnknownVariable``.
    """
    until = until or datetime.now(UTC)
    since = since or until - timedelta(days=1)
    found = []
    for name, dashboard in dashboards().items():
        known = {**_builtin(since, until), **_defaults(dashboard), **(values or {})}
        for where, source, text in _raw_queries(dashboard):
            kind = _KINDS[source]
            filled = _macros(text, since, until) if kind == SQL else text
            found.append(Query(name, where, kind, _fill(filled, known, f"{name}, {where}")))
    return found


def _raw_queries(dashboard: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Where it stands, type of the data source, and text of each query."""
    for variable in dashboard.get("templating", {}).get("list", ()):
        if variable["type"] == "query":
            query = variable["query"]
            text = query if isinstance(query, str) else query["query"]
            if label := _LABEL_VALUES.fullmatch(text):
                text = f"group by ({label[2]}) ({label[1]})"
            yield f"${variable['name']}", variable["datasource"]["type"], text
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            source = (target.get("datasource") or panel["datasource"])["type"]
            yield panel["title"], source, target.get("expr") or target["rawSql"]


def _defaults(dashboard: dict[str, Any]) -> dict[str, str]:
    """Variable → what it stands for before anybody chooses: all, or its default."""
    known = {}
    for variable in dashboard.get("templating", {}).get("list", ()):
        current = variable.get("current", {}).get("value", "")
        chosen = current[0] if isinstance(current, list) and current else current or ""
        known[variable["name"]] = variable.get("allValue", ".*") if chosen == "$__all" else chosen
    return known


def _builtin(since: datetime, until: datetime) -> dict[str, str]:
    seconds = int((until - since).total_seconds())
    return {
        "__rate_interval": "1m",
        "__interval": "15s",
        "__interval_ms": "15000",
        "__interval_s": "15",
        "__range": f"{seconds}s",
        "__range_s": str(seconds),
        "__fromTime": f"toDateTime({int(since.timestamp())})",
        "__toTime": f"toDateTime({int(until.timestamp())})",
    }


def _macros(sql: str, since: datetime, until: datetime) -> str:
    """The macros of Grafana's ClickHouse plugin that stand for SQL."""
    begin, end = int(since.timestamp()), int(until.timestamp())
    width = max((end - begin) // 500, 1)

    def expanded(macro: re.Match[str]) -> str:
        name, column = macro[1], macro[2].strip()
        if name == "timeFilter":
            return f"({column} >= toDateTime({begin}) AND {column} <= toDateTime({end}))"
        if name == "timeInterval":
            return f"toStartOfInterval(toDateTime({column}), INTERVAL {width} second)"
        raise UnknownVariable(f"$__{name}(…) is not known here: add it to tests/support")

    return _MACRO.sub(expanded, sql)


def _fill(text: str, known: Mapping[str, str], where: str) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3] or found[4]
        if name not in known:
            raise UnknownVariable(f"{where}: nothing is known of ${name}")
        text = known[name]
        return "'" + text.replace("'", "''") + "'" if found[2] == "sqlstring" else text

    return _VARIABLE.sub(value, text)
