"""The dashboards: each panel asks for something that exists, and says what to do about it."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import typer.main
import yaml
from prometheus_client import CollectorRegistry

from agents.metrics import AgentMetrics
from config.settings import ClickHouseAddress
from config.telemetry import new_registry
from deploy.grafana.generate import dashboards as generated
from deploy.grafana.generate import text
from renown.cli.main import app
from renown.embedded.clickhouse import EmbeddedClickHouse
from renown.monitor.metrics import MonitorMetrics
from streams.metrics.score import ScoreMetrics
from streams.metrics.sink import SinkMetrics
from streams.sinks.client import Database
from streams.sinks.migrate import migrate
from tests.support.dashboards import (
    DASHBOARDS,
    GRAFANA,
    PROMQL,
    SQL,
    Query,
    UnknownVariable,
    dashboards,
    panels,
    queries,
)
from tests.support.fixtures import embedded_clickhouse
from tests.support.rules import PROMETHEUS, every_rule, limits

__all__ = ["embedded_clickhouse"]

NAMES = ["agents", "clickhouse-scores", "pipeline"]
METRIC = re.compile(r"\b(?:renown_|process_|python_)\w+|\brenown:\w+:\w+|\bup\b|\bALERTS\b")
EVERYWHERE = {"up", "ALERTS"}
UNITS = {
    *("none", "short", "s", "cps", "Bps", "bytes", "percentunit", "dateTimeAsIso"),
}


def declared() -> set[str]:
    """Every series that a process of Renown may show, and those of the rules."""
    registries = [new_registry("renown-score"), *(CollectorRegistry() for _ in range(4))]
    ScoreMetrics(registries[1])
    SinkMetrics(registries[2])
    AgentMetrics(registries[3])
    MonitorMetrics(registries[4])
    names = {rule["record"] for rule in every_rule() if "record" in rule}
    for registry in registries:
        for family in registry.collect():
            suffixes = {
                "counter": ("_total",),
                "histogram": ("_bucket", "_sum", "_count"),
                "gauge": ("",),
                "info": ("_info",),
            }[family.type]
            names |= {family.name + suffix for suffix in suffixes}
    return names | EVERYWHERE


def shown(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels that ask for something."""
    return [panel for panel in panels(dashboard) if panel["type"] != "row"]


def metrics_in(promql: str) -> set[str]:
    """Metrics that an expression names; texts between quotes are none."""
    return set(METRIC.findall(re.sub(r'"[^"]*"', '""', promql)))


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_what_the_generator_writes(name: str) -> None:
    made = generated()
    assert sorted(made) == NAMES == sorted(dashboards())
    expected = text(made[name])
    assert (DASHBOARDS / f"{name}.json").read_text() == expected, (
        "python -m deploy.grafana.generate"
    )


@pytest.mark.parametrize("name", NAMES)
def test_panels_are_complete(name: str) -> None:
    dashboard = dashboards()[name]
    identities = [panel["id"] for panel in panels(dashboard)]
    assert len(identities) == len(set(identities))
    titles = [panel["title"] for panel in panels(dashboard)]
    assert all(titles)
    for panel in shown(dashboard):
        assert panel["targets"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        # What it means, and what to do: "If …: …" or "Look …".
        assert re.search(r"\bIf\b.+: .+|\bLook ", panel["description"]), panel["title"]
        assert len(panel["description"]) > 40, panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))


@pytest.mark.parametrize("name", NAMES)
def test_panels_do_not_lie_on_each_other(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels(dashboards()[name]):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        taken |= cells


def test_every_metric_that_is_asked_for_exists() -> None:
    known = declared()
    asked = {
        f"{query.dashboard}, {query.panel}": metrics_in(query.text)
        for query in queries()
        if query.kind == PROMQL
    }
    assert {where: names - known for where, names in asked.items() if names - known} == {}
    assert all(asked.values())


def test_every_metric_of_the_rules_exists() -> None:
    known = declared()
    for rule in every_rule():
        unknown = metrics_in(rule["expr"]) - known
        assert not unknown, rule.get("alert") or rule["record"]


def test_no_metric_is_left_out() -> None:
    """Each of ours is on a dashboard or in a rule."""
    texts = [query.text for query in queries()] + [rule["expr"] for rule in every_rule()]
    used = set().union(*(metrics_in(text) for text in texts))
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    ours = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for name in declared()
        if name.startswith("renown_")
    }
    assert ours - families == set()


def test_data_sources_are_those_provisioned() -> None:
    provisioned = yaml.safe_load((GRAFANA / "provisioning/datasources/renown.yml").read_text())
    known = {(each["type"], each["uid"]) for each in provisioned["datasources"]}
    used = set()
    for dashboard in dashboards().values():
        for panel in shown(dashboard):
            for target in panel["targets"]:
                used.add((target["datasource"]["type"], target["datasource"]["uid"]))
    assert used == known
    clickhouse = provisioned["datasources"][1]
    assert clickhouse["jsonData"]["username"] == "renown_analyst"
    assert clickhouse["secureJsonData"] == {"password": "$CLICKHOUSE_ANALYST_PASSWORD"}


def test_dashboards_are_found_where_they_are_mounted() -> None:
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/renown.yml").read_text())
    compose = (PROMETHEUS.parents[1] / "docker-compose.yml").read_text()
    folder = provider["providers"][0]["options"]["path"]
    assert f"./deploy/grafana/dashboards:{folder}:ro" in compose
    home = re.search(r"HOME_DASHBOARD_PATH: (\S+)", compose)
    assert home
    assert (DASHBOARDS / home[1].removeprefix(f"{folder}/")).is_file()


def test_lines_are_drawn_at_the_limits_of_the_alerts() -> None:
    drawn = {
        panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"]
        for dashboard in dashboards().values()
        for panel in shown(dashboard)
        if panel["type"] == "timeseries" and "thresholds" in panel["fieldConfig"]["defaults"]
    }
    assert drawn <= set(limits().values())
    assert len(drawn) == 4


def test_sql_runs_on_our_tables(embedded_clickhouse: EmbeddedClickHouse) -> None:
    with Database(ClickHouseAddress.parse(embedded_clickhouse.address)) as db:
        migrate(db)
        for query in queries({"account": "twitter:7' OR 1"}):
            if query.kind == SQL:
                columns, _rows = db.table(query.text)
                assert columns, query


def test_variables_and_macros_are_filled_in() -> None:
    since, until = datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 2, tzinfo=UTC)
    found = queries({"account": "twitter:7"}, since=since, until=until)
    assert {query.dashboard for query in found} == set(NAMES)
    assert not any("$" in query.text for query in found)
    score = next(query for query in found if query.panel == "Score")
    assert "toDateTime(1709251200)" in score.text
    assert "'twitter:7'" in score.text
    values = next(query for query in found if query.panel == "$network")
    assert values.text == "group by (network) (renown_agent_connected)"
    assert isinstance(values, Query)


def test_an_unknown_variable_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    dashboard = {
        "panels": [
            {
                "title": "Lag",
                "datasource": {"type": "prometheus"},
                "targets": [{"expr": "a{b='$nonsense'}"}],
            }
        ]
    }
    monkeypatch.setattr("tests.support.dashboards.dashboards", lambda: {"one": dashboard})
    with pytest.raises(UnknownVariable, match="one, Lag: nothing is known of \\$nonsense"):
        queries()


def test_commands_that_people_are_told_exist() -> None:
    commands = set(typer.main.get_group(app).commands)
    texts = [
        *((GRAFANA.parent / name).read_text() for name in ("runbook.md", "env.example")),
        *(text(dashboard) for dashboard in generated().values()),
    ]
    told = {name for each in texts for name in re.findall(r"\brenown ([a-z][a-z-]+)\b", each)}
    assert told - commands <= {"on", "itself"}
    assert "dead-letters" in told
