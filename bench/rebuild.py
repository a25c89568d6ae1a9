"""How quickly states are made again from ClickHouse, and what memory that takes.

    python bench/rebuild.py --rows 2000000 > bench/results/rebuild.json

The rows are made up inside an embedded ClickHouse: retweets of 90 days, by as many actors and of as
many accounts as are asked for. Each state is packed as a changelog would hold it.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import cramjam
import msgspec

from config.settings import ClickHouseAddress
from renown.embedded.clickhouse import EmbeddedClickHouse
from schemas.model import load_model
from streams.rebuild.past import Past
from streams.rebuild.reader import BlockReader
from streams.rebuild.states import Rebuilder
from streams.rebuild.stored import Stored, past_logs
from streams.sinks.client import Database
from streams.sinks.migrate import migrate

LOG = 1
FIRST_HOUR = 480_000
HOURS = 2160
HORIZON = 1 << 18


def fill(db: Database, rows: int, accounts: int, actors: int, partitions: int) -> None:
    """Rows of one topic, and the sink's word that they are stored."""
    db.run(
        f"""INSERT INTO interactions_rows (log, at, hour, received_at, kind, network, actor, target,
            class, weight, amount, engager, id, model, source_topic, source_partition,
            source_offset, weighed_partition, weighed_offset)
        SELECT {LOG}, toDateTime64(hour * 3600, 3, 'UTC'), hour, at, 'retweet', 'twitter',
            concat('twitter:', toString(rand(1) % {actors})) AS actor,
            concat('twitter:', toString(toUInt64(pow(rand(2) / 4294967296., 3) * {accounts})))
                AS target,
            3, 1536, 1, xxHash64(actor), cityHash64(number), 1, 'interactions.retweet',
            kafkaMurmurHash(actor) % {partitions}, intDiv(number, {partitions}),
            kafkaMurmurHash(target) % {partitions}, intDiv(number, 1000)
        FROM (SELECT number, {FIRST_HOUR} + intDiv(number * {HOURS}, {rows}) AS hour,
            toDateTime64(hour * 3600, 3, 'UTC') AS at FROM numbers({rows}))"""
    )
    clock = (FIRST_HOUR + HOURS) * 3_600_000
    sources = [("interactions.retweet", p) for p in range(partitions)]
    db.insert_lists(
        "sink_progress",
        {
            "log": [LOG] * partitions,
            "topic": ["weighed"] * partitions,
            "partition": list(range(partitions)),
            "claim": [1] * partitions,
            "next_offset": [rows] * partitions,
            "holes": [0] * partitions,
            "source_topics": [[t for t, _ in sources]] * partitions,
            "source_partitions": [[p for _, p in sources]] * partitions,
            "applied": [[rows // partitions for _ in sources]] * partitions,
            "clocks": [[clock for _ in sources]] * partitions,
            "totals": [[{} for _ in sources]] * partitions,
        },
    )


def measure(address: ClickHouseAddress, partitions: int) -> dict[str, Any]:
    """Make all states of a new log of so many partitions."""
    read = 0

    def tell(rows: int) -> None:
        nonlocal read
        read += rows

    result: dict[str, Any] = {"partitions": partitions, "weigh": 0.0, "score": 0.0, "bytes": 0}
    with Database(address) as db, BlockReader(address) as reader:
        past = Past(past_logs(db, [LOG]), LOG + 1, partitions)
        rebuilder = Rebuilder(past, Stored(reader, past), load_model(), HORIZON, tell)
        result["accounts"] = result["ids"] = 0
        for partition in range(partitions):
            began = time.monotonic()
            weigh = rebuilder.weigh(partition)
            result["ids"] += weigh.remembered
            result["bytes"] += packed(weigh.snapshot(0))
            between = time.monotonic()
            score = rebuilder.score(partition, once=False, exact_engagers=False)
            result["accounts"] += score.accounts
            result["bytes"] += packed(score.snapshot(0))
            result["weigh"] += between - began
            result["score"] += time.monotonic() - between
    result["rows"] = read
    result["seconds"] = round(result["weigh"] + result["score"], 1)
    result["rows_per_second"] = round(read / result["seconds"])
    return {name: round(v, 1) if isinstance(v, float) else v for name, v in result.items()}


def packed(snapshot: dict[str, Any]) -> int:
    """Bytes of a checkpoint."""
    return len(cramjam.zstd.compress(msgspec.msgpack.encode(snapshot), 1))


def main() -> None:
    """Fill a ClickHouse, rebuild for as many and for more partitions, print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--actors", type=int, default=300_000)
    options = parser.parse_args()
    with EmbeddedClickHouse() as server:
        address = ClickHouseAddress.parse(server.address)
        with Database(address) as db:
            migrate(db)
            fill(db, options.rows, options.accounts, options.actors, 4)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        results = [measure(address, partitions) for partitions in (4, 6)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "benchmark": "rebuild",
                "date": f"{datetime.now(UTC):%Y-%m-%d}",
                "machine": f"{os.cpu_count()} cores, {platform.machine()}",
                "python": platform.python_version(),
                **vars(options),
                "results": results,
                "memory_mb": {"before": before // 1024, "peak": peak // 1024},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
