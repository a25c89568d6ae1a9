"""Events per second of the whole flow, file to ClickHouse, on both brokers.

    python bench/whole_flow.py FILE --format snap > bench/results/whole_flow.json

Both run one after the other on the same machine with the same file; the ratio counts, not the
absolute times. Apache Kafka is that of the tests (a JVM and Maven) or RENOWN_TEST_KAFKA.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.apache_kafka import ApacheKafka, available


def run(kafka: str, arguments: list[str]) -> dict[str, Any]:
    """One run of the demo; its figures."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "renown", "demo", "--once", "--json", *arguments],
            env={**os.environ, "RENOWN_KAFKA": kafka, "RENOWN_DATA_DIR": folder},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


@contextmanager
def apache() -> Iterator[str | None]:
    """The address of an Apache Kafka, None where there is none."""
    given = os.environ.get("RENOWN_TEST_KAFKA")
    if given or available():
        yield given
        return
    with ApacheKafka() as kafka:
        yield kafka.address


def main() -> None:
    """Run on both brokers and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--format", default="snap")
    options = parser.parse_args()
    arguments = ["--replay", str(options.file), "--format", options.format]
    results = {"embedded": run("", arguments)}
    with apache() as address:
        if address:
            results["apache"] = run(address, arguments)
    kept = (
        "read",
        "events_per_second",
        "seconds",
        "accounts_scored",
        "score_sum",
        "audit",
        "times",
    )
    print(
        json.dumps(
            {
                "benchmark": "whole flow",
                "date": f"{datetime.now(UTC):%Y-%m-%d}",
                "machine": f"{os.cpu_count()} cores, {platform.machine()}",
                "python": platform.python_version(),
                "file": options.file.name,
                "results": {name: {key: r[key] for key in kept} for name, r in results.items()},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
