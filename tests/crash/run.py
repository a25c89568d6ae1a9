"""Random faults on a running load, one after the other, each followed by a comparison."""

import json
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TypedDict

from renown.embedded.broker import EmbeddedBroker
from tests.crash.faults import faults_of
from tests.crash.world import Broker, World
from tests.support.apache_kafka import ApacheKafka
from tests.support.flow import say
from tests.support.kafka_cluster import KafkaCluster
from tests.support.small_disk import SmallDisk, unavailable

BROKERS: Final = ("apache", "embedded", "cluster")
EPISODE: Final = 10
"""Faults in one world; then a new one begins with nothing."""

DISK_MB: Final = 256
"""For checkpoints, or all logs of an Apache Kafka."""

_RECORDS = 600


class Outcome(TypedDict):
    """One fault and what differed after it."""

    number: int
    fault: str
    seconds: float
    records: int
    rows: int
    accounts: int
    differences: list[str]


def run_faults(
    folder: Path, broker: str, seed: str, first: int, last: int, *, stop_at_difference: bool
) -> Iterator[Outcome]:
    """Faults number ``first`` to ``last - 1``; the kind of each follows from seed and number.

    ``broker``: one of ``BROKERS``. After a difference the next fault finds a new world.
    """
    while first < last:
        place = folder / f"from-{first}"
        shutil.rmtree(place, ignore_errors=True)
        different = False
        with _world(place, broker, f"{seed}/{first}") as world:
            world.publish(_RECORDS)
            for number in range(first, min(last, first + EPISODE)):
                outcome = _run_one(world, random.Random(f"{seed}#{number}"), number)
                first, different = number + 1, bool(outcome["differences"])
                yield outcome
                if different:
                    break
        if not different:
            shutil.rmtree(place, ignore_errors=True)
        elif stop_at_difference:
            return


@contextmanager
def _world(folder: Path, broker: str, seed: str) -> Iterator[World]:
    with ExitStack() as cleanup:
        disk = None
        if broker != "cluster" and not unavailable():
            disk = cleanup.enter_context(SmallDisk(folder / "disk", DISK_MB))
        server = _broker(broker, disk)
        cleanup.enter_context(server)
        yield cleanup.enter_context(World(folder, server, seed, disk))


def _broker(name: str, disk: SmallDisk | None) -> Broker:
    if name == "embedded":
        return EmbeddedBroker()
    if name == "cluster":
        return KafkaCluster()
    return ApacheKafka(disk.folder / "logs" if disk else None)


def _run_one(world: World, pick: random.Random, number: int) -> Outcome:
    began = time.monotonic()
    fault = pick.choice(faults_of(world))
    with world.publishing(_RECORDS):
        time.sleep(pick.uniform(0.2, 3.0))
        done = fault(world, pick)
    found = world.settle()
    seconds = round(time.monotonic() - began, 1)
    say(f"{number:4d}  {done}: {len(found.differences)} differences, {seconds} s")
    return Outcome(
        number=number,
        fault=done,
        seconds=seconds,
        records=found.records,
        rows=found.rows,
        accounts=found.accounts,
        differences=found.differences,
    )


def load_outcomes(path: Path) -> list[Outcome]:
    """What an earlier run stored, oldest first."""
    if not path.exists():
        return []
    outcomes: list[Outcome] = json.loads(path.read_text())["faults"]
    return outcomes


def store_outcomes(path: Path, broker: str, seed: str, outcomes: list[Outcome]) -> None:
    """Write ``path`` (JSON), and beside it a table for people (``.md``)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"broker": broker, "seed": seed, "faults": outcomes}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    path.with_suffix(".md").write_text(table(broker, seed, outcomes))


def table(broker: str, seed: str, outcomes: list[Outcome]) -> str:
    """One line a fault, in Markdown."""
    different = sum(bool(each["differences"]) for each in outcomes)
    lines = [
        f"# {len(outcomes)} random faults on the {broker} broker, seed {seed}",
        "",
        f"Faults after which something differed: {different}. Records, rows and accounts are those",
        f"of the world so far; a new one begins every {EPISODE} faults and after a difference.",
        "",
        "| | fault | seconds | records | rows | accounts | differences |",
        "|--:|---|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {each['number']} | {each['fault']} | {each['seconds']} | {each['records']} "
        f"| {each['rows']} | {each['accounts']} | {len(each['differences'])} |"
        for each in outcomes
    ]
    return "\n".join(lines) + "\n"
