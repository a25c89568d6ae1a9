"""A real Prometheus with the shortened rules, and whom it tells."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from renown.embedded.process import LOOPBACK
from renown.run.processes import write_targets
from tests.support.debian import need
from tests.support.fake_processes import FakeProcess
from tests.support.prometheus import Prometheus
from tests.support.stack import wait_until

FACTOR = 60.0
"""By how much the rules are quicker here."""
LONG = 30.0

START = {"process_start_time_seconds": 1000.0}
SINK_STOPPED = {
    "renown_canary_age_seconds": 600.0,
    'renown_group_lag{group="renown-sink",topic="weighed"}': 900_000.0,
}


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[dict[str, FakeProcess]]:
    well = {
        "sink": {"renown_clickhouse_up": 1.0, "renown_sink_oldest_row_age_seconds": 0.5},
        "score": {'renown_consumer_lag{stage="weigh",topic="interactions.like"}': 10.0},
        "monitor": {
            "renown_broker_up": 1.0,
            "renown_clickhouse_up": 1.0,
            "renown_canary_age_seconds": 3.0,
            "renown_canary_last_seconds": 1.5,
        },
    }
    with ExitStack() as running:
        started = {
            name: running.enter_context(FakeProcess(name, f"renown-{name}", {**START, **metrics}))
            for name, metrics in well.items()
        }
        write_targets(
            tmp_path / "targets.json",
            [(each.name, each.job, each.port) for each in started.values()],
        )
        yield started


@contextmanager
def alertmanager() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that takes alerts as Alertmanager does, and the alerts it was told."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{LOOPBACK}:{server.server_port}", told
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
def test_a_sink_that_stops_is_told_and_nothing_else(
    tmp_path: Path, processes: dict[str, FakeProcess]
) -> None:
    need("prometheus")
    with (
        alertmanager() as (address, told),
        Prometheus(tmp_path / "targets.json", factor=FACTOR, alertmanager=address) as prometheus,
    ):
        wait_until(lambda: len(prometheus.query("up == 1")) == 3, LONG, "every process answers")
        assert prometheus.alerts() == []

        processes["sink"].stop()
        processes["monitor"].metrics |= SINK_STOPPED
        wait_until(lambda: prometheus.firing() == {"RenownSinkDown"}, LONG, "RenownSinkDown fires")
        (alert,) = prometheus.alerts()
        assert alert.annotations["runbook_url"] == "deploy/runbook.md#renownsinkdown"
        wait_until(lambda: told, LONG, "Alertmanager is told")
        assert told[0]["labels"]["alertname"] == "RenownSinkDown"
        assert told[0]["annotations"]["summary"] == "Sink sink is down"

        processes["monitor"].metrics["renown_canary_age_seconds"] = 3.0
        processes["sink"].start()
        wait_until(lambda: not prometheus.alerts(), LONG, "it is quiet again")
        assert prometheus.fired() == {"RenownSinkDown"}


def test_a_wrong_query_is_told() -> None:
    need("prometheus")
    with Prometheus(with_rules=False) as prometheus:
        assert prometheus.query("1 + 1")[0].value == 2
        with pytest.raises(ValueError, match="parse error"):
            prometheus.query("up{")
