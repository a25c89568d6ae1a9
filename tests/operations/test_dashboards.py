"""Every query of the dashboards gives data while a stack runs: PromQL and SQL."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from config.settings import ClickHouseAddress
from renown.folders import TARGETS_FILE
from renown.run.feeds import generated
from renown.run.stack import Stack
from streams.sinks.client import Database
from tests.support import dashboards, flow
from tests.support.debian import need
from tests.support.prometheus import Prometheus
from tests.support.stack import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]

RATE = 500.0
WARM_SECONDS = 100.0
"""Rates over a minute need more than one."""


@dataclass(frozen=True)
class Running:
    prometheus: Prometheus
    db: Database


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("dashboards") / "up"
    settings = flow.settings_for(folder.parent)
    need("prometheus")
    prometheus = Prometheus(folder / TARGETS_FILE)
    with Stack(settings, folder, fresh=True, monitor=True, say=flow.say) as stack, prometheus:
        agent = generated(RATE)
        stack.start_agent(agent.name, agent.arguments)
        url = stack.settings.clickhouse.get_secret_value()
        with Database(ClickHouseAddress.parse(url)) as db:
            wait_until(lambda: db.query("SELECT count() FROM scores")[0][0], 120, "scores")
            time.sleep(WARM_SECONDS)
            yield Running(prometheus, db)


def test_every_promql_query_gives_data(running: Running) -> None:
    empty = [
        f"{query.dashboard}, {query.panel}: {query.text}"
        for query in dashboards.queries()
        if query.kind == dashboards.PROMQL and not running.prometheus.query(query.text)
    ]
    assert empty == []


def test_every_sql_query_gives_data(running: Running) -> None:
    account = running.db.query("SELECT profile FROM leaderboard LIMIT 1")[0][0]
    empty = [
        f"{query.dashboard}, {query.panel}: {query.text}"
        for query in dashboards.queries({"account": account})
        if query.kind == dashboards.SQL and not running.db.query(query.text)
    ]
    assert empty == []


def test_the_rules_find_nothing_wrong(running: Running) -> None:
    assert running.prometheus.fired() == set()
