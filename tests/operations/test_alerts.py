"""Each cause fires its own alert and no other; what is started again makes it quiet.

A real Prometheus scrapes every process of a running stack, with the rules of ``deploy/`` whose
waiting times and windows are shortened.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from agents.publisher import Publisher
from config.broker import kafka_python_options
from renown.folders import TARGETS_FILE
from renown.run.feeds import generated
from renown.run.stack import Stack
from schemas.topics import Topic
from tests.support import flow
from tests.support.debian import need
from tests.support.prometheus import Prometheus
from tests.support.rules import alerting_rules, divided, milliseconds
from tests.support.stack import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]

FACTOR = 20.0
"""By how much the rules are quicker here."""
SLACK_SECONDS = 45.0
"""Beyond an alert's own waiting time: scrapes, windows that fill, a busy machine."""
HELD_SECONDS = 12.0
"""For so long no other alert may join; four minutes of the rules as they are deployed."""
QUIET_SECONDS = 150.0


@dataclass
class Drill:
    """A running stack that events flow through, and what Prometheus sees of it."""

    stack: Stack
    prometheus: Prometheus

    def expect(self, alert: str) -> None:
        """``alert`` fires within its time, and nothing else does."""
        waits = milliseconds(divided(str(alerting_rules()[alert].get("for", "0s")), FACTOR)) / 1000
        wait_until(
            lambda: alert in self.firing(), waits + SLACK_SECONDS, f"{alert} fires: {self.alerts()}"
        )
        until = time.monotonic() + HELD_SECONDS
        while time.monotonic() < until:
            assert self.firing() == {alert}
            time.sleep(0.5)

    def expect_quiet(self) -> None:
        """Everything that fires or waits to fire ends, and no other alert joins before."""
        only = self.firing()

        def quiet() -> bool:
            firing = self.firing()
            assert firing <= only, f"recovery fires another alert: {self.alerts()}"
            return not firing

        wait_until(quiet, QUIET_SECONDS, f"alerts are resolved: {self.alerts()}")
        until = time.monotonic() + HELD_SECONDS
        while time.monotonic() < until:
            assert self.firing() == set()
            time.sleep(0.5)

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return self.prometheus.firing()

    def alerts(self) -> list[tuple[str, str]]:
        """Names and states."""
        return sorted((alert.name, alert.state) for alert in self.prometheus.alerts())

    def kill(self, process: str) -> None:
        """SIGKILL; nobody starts it again, as the stack is not watched here."""
        pid = self.stack.workers[process].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.stack.workers[process].running, 10, f"{process} is gone")


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    folder = tmp_path_factory.mktemp("operations") / "up"
    settings = flow.settings_for(folder.parent)
    need("prometheus")
    prometheus = Prometheus(folder / TARGETS_FILE, factor=FACTOR)
    with Stack(settings, folder, fresh=True, monitor=True, say=flow.say) as stack, prometheus:
        agent = generated(100)
        stack.start_agent(agent.name, agent.arguments)
        running = Drill(stack, prometheus)
        wait_until(lambda: _canaries(prometheus) >= 2, 120, "the flow flows")
        wait_until(lambda: not running.firing(), QUIET_SECONDS, "nothing fires at first")
        yield running


def _canaries(prometheus: Prometheus) -> float:
    found = prometheus.query("renown_canary_seconds_count")
    return found[0].value if found else 0.0


def test_a_dead_agent(drill: Drill) -> None:
    drill.kill("generate")
    drill.expect("RenownAgentDown")
    drill.stack.watch()
    drill.expect_quiet()


def test_a_dead_sink(drill: Drill) -> None:
    drill.kill("sink")
    drill.expect("RenownSinkDown")
    drill.stack.watch()
    drill.expect_quiet()


def test_a_dead_score_worker(drill: Drill) -> None:
    drill.kill("score-1")
    drill.expect("RenownScoreWorkerDown")
    drill.stack.watch()
    drill.expect_quiet()


def test_a_stopped_clickhouse(drill: Drill) -> None:
    database = drill.stack.database
    assert database is not None
    database.stop()
    drill.expect("RenownClickHouseDown")
    database.start()
    drill.expect_quiet()


def test_a_dead_monitor(drill: Drill) -> None:
    drill.kill("monitor")
    drill.expect("RenownMonitorDown")
    drill.stack.watch()
    drill.expect_quiet()


def test_a_flood_of_bad_records(drill: Drill) -> None:
    with flood(drill.stack, lambda number: b'{"kind": "like", "broken": %d' % number):
        drill.expect("RenownDeadLetterFlood")
    drill.expect_quiet()


@contextmanager
def flood(stack: Stack, body: Callable[[int], bytes]) -> Iterator[None]:
    """Two hundred unusable records a second, for as long as the context lasts."""
    ended = threading.Event()

    def publish() -> None:
        options = kafka_python_options(stack.settings)
        with Publisher(options, stack.settings.partitions, agent="flood") as publisher:
            number = 0
            while not ended.wait(0.1):
                for _ in range(20):
                    number += 1
                    publisher.publish_raw(Topic.LIKE, None, body(number))

    thread = threading.Thread(target=publish, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(30)
