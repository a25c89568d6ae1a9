"""One Apache Kafka for all who are compared, with logs that outlive it.

Each load has a folder of its own: its records are published once, and the next run starts the
broker on the same segments. What runs write (outputs, changelogs, repartition topics, groups) is
deleted before each run, so every one begins alike.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient, NewTopic

from bench.common import DATA, PARTITIONS, say
from bench.load import Load, publish
from config.errors import Unreachable
from renown.embedded.broker import answers
from renown.embedded.process import LOOPBACK, ChildProcess, free_port
from schemas.topics import INTERACTION_TOPICS, LARGEST_RECORD
from tests.support.maven import jars

VERSION: Final = "4.1.0"
_JARS: Final = (
    f"kafka-{VERSION}",
    [f"org.apache.kafka:kafka_2.13:{VERSION}", "org.slf4j:slf4j-simple:1.7.36"],
)
_JVM: Final = (
    "-Xms1g",
    "-Xmx1g",
    "-XX:+UseSerialGC",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
)
_SETTINGS: Final = f"""
process.roles=broker,controller
node.id=1
listeners=BROKER://{LOOPBACK}:{{port}},CONTROLLER://{LOOPBACK}:{{controller}}
advertised.listeners=BROKER://{LOOPBACK}:{{port}}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers={LOOPBACK}:{{controller}}
log.dirs={{logs}}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
message.max.bytes={2 * LARGEST_RECORD}
log.segment.delete.delay.ms=1000
log.retention.ms=-1
"""
_START_SECONDS: Final = 90.0
_ADMIN_SECONDS: Final = 30.0
_OUR_GROUPS: Final = "renown-"
_PUBLISHED: Final = "published.json"
_INPUTS: Final = frozenset(topic.value for topic in INTERACTION_TOPICS)


class Broker:
    """A running broker. ``address``: host:port; ``pid``: of its process."""

    def __init__(self, address: str, pid: int) -> None:
        self.address, self.pid = address, pid
        self._admin = AdminClient({"bootstrap.servers": address, "log_level": 0})

    def topics(self) -> dict[str, int]:
        """Name → number of partitions of the topics that are not the broker's own."""
        found = self._admin.list_topics(timeout=_ADMIN_SECONDS).topics
        return {name: len(t.partitions) for name, t in found.items() if not name.startswith("__")}

    def create(self, names: list[str]) -> None:
        """Make topics that keep everything."""
        config = {"retention.ms": "-1", "max.message.bytes": str(LARGEST_RECORD)}
        new = [NewTopic(name, PARTITIONS, 1, config=config) for name in names]
        for future in self._admin.create_topics(new).values():
            future.result(_ADMIN_SECONDS)

    def clean(self, *, everything: bool = False) -> None:
        """Delete what runs have written, and their groups; with ``everything`` the load too."""
        keep = frozenset() if everything else _INPUTS
        if names := sorted(self.topics().keys() - keep):
            for future in self._admin.delete_topics(names).values():
                future.result(_ADMIN_SECONDS)
        deadline = time.monotonic() + _ADMIN_SECONDS
        while True:
            listed = self._admin.list_consumer_groups(request_timeout=_ADMIN_SECONDS).result()
            # Peers have a new group each time; some leave without a word.
            groups = [g.group_id for g in listed.valid if g.group_id.startswith(_OUR_GROUPS)]
            if not groups and not self.topics().keys() - keep:
                return
            if time.monotonic() > deadline:
                raise Unreachable(f"the broker still holds groups {groups} or topics of a run")
            if groups:
                for future in self._admin.delete_consumer_groups(groups).values():
                    with contextlib.suppress(Exception):  # a member is still known: ask again
                        future.result(_ADMIN_SECONDS)
            time.sleep(0.5)


@contextlib.contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """Apache Kafka on the logs in ``folder``, which stay. Raises ``Unreachable``."""
    java = shutil.which("java")
    if not java:
        raise Unreachable("the benchmarks need a Java runtime (java) for Apache Kafka")
    run = [java, *_JVM, "-cp", f"{jars(*_JARS)}/*"]
    settings = folder / "server.properties"
    if not settings.exists():
        _format(run, folder, settings)
    ports = json.loads((folder / "ports.json").read_text())
    settings.write_text(_SETTINGS.format(**ports, logs=folder / "logs"))  # it may have been moved
    child = ChildProcess("Apache Kafka", [*run, "kafka.Kafka", str(settings)])
    try:
        child.start().wait_ready(lambda: answers(ports["port"]), _START_SECONDS)
        yield Broker(f"{LOOPBACK}:{ports['port']}", child.pid or 0)
    finally:
        child.stop(30.0)


@contextlib.contextmanager
def loaded_broker(load: Load) -> Iterator[Broker]:
    """A broker whose five interaction topics hold ``load``, and that holds nothing else."""
    folder = DATA / load.name
    mark = folder / _PUBLISHED
    with broker(folder) as found:
        found.clean(everything=not mark.exists())
        if not mark.exists():
            say(f"publishing {load.events:,} events, once; they stay in {folder}")
            found.create(sorted(_INPUTS))
            size = publish(found.address, load)
            mark.write_text(json.dumps({"bytes_per_event": round(size / load.events, 1)}))
        yield found


@contextlib.contextmanager
def empty_broker() -> Iterator[Broker]:
    """A broker that holds nothing, for loads that are sent while something runs."""
    with broker(DATA / "live") as found:
        found.clean(everything=True)
        yield found


def _format(run: list[str], folder: Path, settings: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ports = {"port": free_port(), "controller": free_port()}
    (folder / "ports.json").write_text(json.dumps(ports))
    scratch = folder / "server.properties.new"
    scratch.write_text(_SETTINGS.format(**ports, logs=folder / "logs"))
    cluster = "A" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
    command = [*run, "kafka.tools.StorageTool", "format", "--standalone", "-t", cluster]
    done = subprocess.run(
        [*command, "-c", str(scratch)],
        capture_output=True,
        text=True,
        timeout=_START_SECONDS,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode:
        raise Unreachable(f"Apache Kafka cannot format its folder: {done.stderr.strip()[-300:]}")
    scratch.rename(settings)
