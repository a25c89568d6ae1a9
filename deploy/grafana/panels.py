"""The few pieces of Grafana's dashboard format that the dashboards here are made of."""

from typing import Any, Final

Json = dict[str, Any]

PROMETHEUS: Final = {"type": "prometheus", "uid": "renown-prometheus"}
CLICKHOUSE: Final = {"type": "grafana-clickhouse-datasource", "uid": "renown-clickhouse"}
"""As deploy/grafana/provisioning/datasources names them."""

GOOD, BAD, WARN = "green", "red", "orange"

_WIDTH: Final = 24
_ROW_HEIGHT: Final = 1
_TABLE, _TIME_SERIES = 1, 0


def prom(expression: str, legend: str = "", *, instant: bool = False) -> Json:
    """A query of Prometheus."""
    target = {
        "datasource": PROMETHEUS,
        "expr": expression,
        "legendFormat": legend or "__auto",
        "range": not instant,
        "instant": instant,
    }
    return {**target, "format": "table"} if instant and not legend else target


def sql(query: str, *, over_time: bool = False) -> Json:
    """A query of ClickHouse; ``over_time``: its first column is the time."""
    return {
        "datasource": CLICKHOUSE,
        "editorType": "sql",
        "format": _TIME_SERIES if over_time else _TABLE,
        "queryType": "timeseries" if over_time else "table",
        "rawSql": " ".join(query.split()),
    }


def graph(
    title: str,
    unit: str,
    description: str,
    *targets: Json,
    width: int = 12,
    stacked: bool = False,
    limit: float | None = None,
) -> Json:
    """Lines over time. ``limit``: where an alert draws the line."""
    custom: Json = {"fillOpacity": 20 if stacked else 5, "lineWidth": 1, "showPoints": "never"}
    if stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    defaults: Json = {"unit": unit, "min": 0, "custom": custom}
    if limit is not None:
        custom["thresholdsStyle"] = {"mode": "dashed"}
        defaults["thresholds"] = _steps((None, GOOD), (limit, BAD))
    panel = _panel("timeseries", title, description, targets, width, 8, defaults)
    panel["options"] = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel


def number(
    title: str,
    unit: str,
    description: str,
    *targets: Json,
    steps: tuple[tuple[float | None, str], ...] = ((None, GOOD),),
    words: dict[str, str] | None = None,
    width: int = 4,
) -> Json:
    """The newest value, coloured by ``steps``. ``words``: what to show in place of a value."""
    defaults: Json = {"unit": unit, "thresholds": _steps(*steps)}
    if words:
        options = {value: {"text": text} for value, text in words.items()}
        defaults["mappings"] = [{"type": "value", "options": options}]
    panel = _panel("stat", title, description, targets, width, 4, defaults)
    panel["options"] = {
        "colorMode": "background",
        "graphMode": "none",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return panel


def table(
    title: str,
    description: str,
    *targets: Json,
    width: int = 12,
    unit: str = "none",
    hidden: tuple[str, ...] = (),
) -> Json:
    """Rows and columns. ``hidden``: columns that are not shown."""
    panel = _panel("table", title, description, targets, width, 9, {"unit": unit})
    panel["options"] = {"showHeader": True, "cellHeight": "sm"}
    if hidden:
        excluded = {"excludeByName": dict.fromkeys(hidden, True)}
        panel["transformations"] = [{"id": "organize", "options": excluded}]
    return panel


def row(title: str) -> Json:
    """A heading."""
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def choice(name: str, label: str, query: str) -> Json:
    """A variable: some of the values of a label, or all of them."""
    everything = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": PROMETHEUS,
        "query": {"query": query, "refId": "values"},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": everything,
    }


def textbox(name: str, label: str, default: str) -> Json:
    """A variable that is typed in."""
    chosen = {"selected": True, "text": default, "value": default}
    return {
        "type": "textbox",
        "name": name,
        "label": label,
        "query": default,
        "current": chosen,
    }


def dashboard(
    uid: str, title: str, description: str, panels: list[Json], *variables: Json, since: str
) -> Json:
    """A dashboard whose panels are laid out from left to right and from top to bottom."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["renown"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": since, "to": "now"},
        "timezone": "utc",
        "templating": {"list": list(variables)},
        "annotations": {"list": [_ALERTS]},
        "links": [
            {
                "type": "dashboards",
                "title": "Renown",
                "tags": ["renown"],
                "asDropdown": True,
                "keepTime": True,
            }
        ],
        "panels": _laid_out(panels),
    }


_ALERTS: Final = {
    "name": "Alerts",
    "datasource": PROMETHEUS,
    "enable": True,
    "iconColor": BAD,
    "expr": 'ALERTS{alertname=~"Renown.+", alertstate="firing"}',
    "titleFormat": "{{alertname}}",
    "textFormat": "{{process}}",
    "step": "30s",
}


def _panel(
    kind: str,
    title: str,
    description: str,
    targets: tuple[Json, ...],
    width: int,
    height: int,
    defaults: Json,
) -> Json:
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": targets[0]["datasource"],
        "gridPos": {"w": width, "h": height},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [
            {**target, "refId": chr(ord("A") + place)} for place, target in enumerate(targets)
        ],
    }


def _steps(*steps: tuple[float | None, str]) -> Json:
    return {"mode": "absolute", "steps": [{"value": at, "color": color} for at, color in steps]}


def _laid_out(panels: list[Json]) -> list[Json]:
    placed, x, y, tallest = [], 0, 0, 0
    for identity, panel in enumerate(panels, 1):
        size = panel.get("gridPos", {"w": _WIDTH, "h": _ROW_HEIGHT})
        if x + size["w"] > _WIDTH:
            x, y, tallest = 0, y + tallest, 0
        placed.append({"id": identity, **panel, "gridPos": {**size, "x": x, "y": y}})
        x, tallest = x + size["w"], max(tallest, size["h"])
    return placed
