"""Rows a second from the topics to ClickHouse, by one sink that finds a log full of them."""

import tempfile
from pathlib import Path
from typing import Any, Final

from bench.broker import loaded_broker
from bench.common import header, processor_seconds, say, write_result
from bench.engine import LOOK_SECONDS, Worker, full_job, total
from bench.load import Load
from bench.measure import watch
from config.settings import ClickHouseAddress
from renown.embedded.clickhouse import EmbeddedClickHouse
from streams.sinks.client import Database
from streams.sinks.migrate import migrate

NAME: Final = "sink"


def run(events: int, accounts: int, longest: float, folder: Path) -> dict[str, Any]:
    """Weigh and score a load first, then store what that gave; the sink is timed."""
    load = Load(events=events, accounts=accounts)
    with loaded_broker(load) as broker, tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        _, job = full_job(broker.address, place, events, longest=600.0)
        figures = job.figures(events)
        rows = int(figures["outcomes"].get("accepted", 0)) + figures["scores_emitted"]
        say(f"sink: {rows:,} rows to store")
        with EmbeddedClickHouse(place / "clickhouse") as server:
            with Database(ClickHouseAddress.parse(server.address)) as database:
                migrate(database)
            with Worker("sink", broker.address, place, clickhouse=server.address) as worker:
                measured = watch(
                    NAME,
                    lambda: [worker.pid],
                    lambda: int(total(worker.samples(), "renown_sink_rows_total")),
                    rows,
                    longest,
                    worker.running,
                    LOOK_SECONDS,
                )
                clickhouse = processor_seconds([server.pid or 0])
    result = {
        **header(NAME),
        "events": events,
        **measured.figures(),
        "clickhouse_cpu_us_per_row": round(1e6 * clickhouse / max(1, measured.events), 2),
    }
    result["rows_per_second"] = result.pop("events_per_second")
    result["cpu_us_per_row"] = result.pop("cpu_us_per_event")
    result["rows"] = measured.events
    write_result(NAME, result, folder)
    return result
