"""Dashboards as Grafana writes them, and the names of series."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.errors import WrongUse
from deploy.pictures.dashboard import Dashboard, legend_of, read_dashboard
from deploy.pictures.draw import arranged
from deploy.pictures.sources import Rows, Span, with_variables

SMALL: dict[str, Any] = {
    "title": "Small",
    "templating": {
        "list": [
            {"name": "job", "current": {"value": ["$__all"]}},
            {"name": "process", "current": {"value": ["a", "b"]}},
            {"name": "account", "type": "textbox", "current": {"value": ""}},
        ]
    },
    "panels": [
        {
            "title": "Latency",
            "type": "timeseries",
            "gridPos": {"x": 12, "y": 1, "w": 12, "h": 8},
            "targets": [
                {"expr": "a", "legendFormat": "{{stage}}"},
                {"expr": "b", "hide": True},
            ],
            "fieldConfig": {
                "defaults": {
                    "unit": "s",
                    "min": 0,
                    "thresholds": {
                        "steps": [{"color": "green", "value": None}, {"color": "red", "value": 5}]
                    },
                    "mappings": [{"type": "value", "options": {"0": {"text": "down"}}}],
                },
                "overrides": [
                    {
                        "matcher": {"id": "byName", "options": "rows"},
                        "properties": [
                            {"id": "unit", "value": "short"},
                            {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}},
                        ],
                    }
                ],
            },
        },
        {
            "title": "Rows",
            "type": "table",
            "gridPos": {"x": 0, "y": 1, "w": 12, "h": 8},
            "targets": [{"rawSql": "SELECT 1"}],
            "transformations": [
                {
                    "id": "organize",
                    "options": {
                        "excludeByName": {"b": True},
                        "indexByName": {"c": 0, "a": 1},
                        "renameByName": {"a": "A"},
                    },
                }
            ],
        },
        {"type": "news", "gridPos": {"x": 0, "y": 0}},
    ],
}


@pytest.fixture
def small(tmp_path: Path) -> Dashboard:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL))
    return read_dashboard(path)


def test_panels_come_by_place_with_what_is_drawn_of_them(small: Dashboard) -> None:
    assert [panel.title for panel in small.panels] == ["Rows", "Latency"]
    latency = small.panels[1]
    assert [target.query for target in latency.targets] == ["a"]
    assert (latency.look.unit, latency.look.low, latency.look.high) == ("s", 0, None)
    assert latency.look.thresholds == ((float("-inf"), "green"), (5.0, "red"))
    assert latency.look.mappings == {"0": ("down", "")}
    assert small.panels[0].targets[0].sql


def test_an_override_is_of_its_series_only(small: Dashboard) -> None:
    latency = small.panels[1]
    assert (latency.look_of("rows").unit, latency.look_of("rows").color) == ("short", "red")
    assert latency.look_of("rows").thresholds == latency.look.thresholds
    assert latency.look_of("others") == latency.look


def test_what_is_no_dashboard_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for content in ("{", "[]", "{}"):
        path.write_text(content)
        with pytest.raises(WrongUse, match="is no dashboard"):
            read_dashboard(path)
    with pytest.raises(WrongUse, match="cannot read"):
        read_dashboard(tmp_path / "none.json")


def test_variables(small: Dashboard) -> None:
    assert small.variables == {"job": ".*", "process": "a|b", "account": ""}
    span = Span(1_000_000, 1_002_400)

    def fill(text: str) -> str:
        return with_variables(text, span, small.variables)

    assert fill('x{job=~"$job",p=~"${process}"}') == 'x{job=~".*",p=~"a|b"}'
    assert fill("rate(x[$__rate_interval])") == "rate(x[40s])"
    assert fill("x[$__range] $unknown") == "x[2400s] $unknown"
    assert fill("${account:sqlstring}") == "''"
    assert with_variables("${a:sqlstring}", span, {"a": "it's"}) == "'it''s'"
    assert fill("$__timeFilter(at)") == ("at >= toDateTime(1000000) AND at <= toDateTime(1002400)")
    assert fill("$__timeInterval(at)") == ("toStartOfInterval(toDateTime(at), INTERVAL 10 SECOND)")


ONE = {"__name__": "up", "job": "a", "process": "p1"}
TWO = {"__name__": "up", "job": "a", "process": "p2"}
THREE = {"__name__": "up", "job": "b", "process": "p2"}


@pytest.mark.parametrize(
    ("template", "others", "name"),
    [
        ("{{process}}", [ONE, TWO], "p1"),
        ("{{ job }} of {{process}}", [ONE], "a of p1"),
        ("{{missing}} x", [ONE], "x"),
        ("fixed", [ONE], "fixed"),
        ("", [ONE], "up"),
        ("__auto", [ONE, TWO], "p1"),
        ("__auto", [ONE, TWO, THREE], "job=a, process=p1"),
    ],
)
def test_legends(template: str, others: list[dict[str, str]], name: str) -> None:
    assert legend_of(template, ONE, others, "Title") == name


def test_a_series_without_labels_is_called_like_its_panel() -> None:
    assert legend_of("", {}, [{}], "Title") == "Title"


def test_columns_are_left_out_ordered_and_renamed(small: Dashboard) -> None:
    table = arranged(small.panels[0], Rows(["a", "b", "c"], [(1, 2, 3)]))
    assert table == Rows(["c", "A"], [(3, 1)])
