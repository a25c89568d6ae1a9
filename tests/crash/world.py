"""A broker, a ClickHouse and workers, all processes of their own, and what can befall them."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from clickhouse_driver import Client
from clickhouse_driver.errors import Error as DriverError
from confluent_kafka import Producer

from config.broker import ensure_topics
from config.errors import RenownError
from config.settings import ClickHouseAddress, load_settings
from renown.embedded.broker import EmbeddedBroker
from renown.embedded.clickhouse import EmbeddedClickHouse
from renown.embedded.process import free_port
from streams.sinks.client import connect
from streams.sinks.migrate import migrate
from streams.warming import warm_up
from tests.crash.comparison import Comparison, compare
from tests.crash.load import Load, Published
from tests.support.apache_kafka import ApacheKafka
from tests.support.flow import say
from tests.support.kafka_cluster import NODES, KafkaCluster
from tests.support.small_disk import SmallDisk
from tests.support.workers import Worker

SETTLE_SECONDS: Final = 150.0
PARTITIONS: Final = 4
_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.5
_PUBLISH_SECONDS = 120.0


Broker = ApacheKafka | EmbeddedBroker | KafkaCluster


class World:
    """Two score workers and a sink on a broker of their own, with a load to be published."""

    def __init__(
        self, folder: Path, broker: Broker, seed: str, disk: SmallDisk | None = None
    ) -> None:
        """``broker`` is started, and holds no topics of ours.

        ``disk``: where the checkpoints are kept, of the embedded broker in files, of Apache Kafka
        as its logs.
        """
        self.disk = disk
        self.folder = folder
        self.broker = broker
        self.load = Load(seed, PARTITIONS)
        self.workers: dict[str, Worker] = {}
        self._incarnations = 0
        self._cleanup = ExitStack()
        self.database = EmbeddedClickHouse(folder / "clickhouse", port=free_port())
        self._settings: dict[str, object] = {
            "kafka": broker.address,
            "partitions": PARTITIONS,
            "checkpoint_seconds": 1,
            "session_seconds": 6,
        }
        if isinstance(broker, KafkaCluster):
            # until another node leads, nothing can be heard of a worker
            self._settings |= {"kafka_replication": NODES, "session_seconds": 12}
        self._checkpoints: Path | None = None
        if isinstance(broker, EmbeddedBroker):
            self._checkpoints = (disk.folder if disk else folder) / "checkpoints"
            self._checkpoints.mkdir(parents=True)
            self._settings |= {
                "truncate_changelog": False,
                "linger_ms": 50,
                "checkpoint_dir": self._checkpoints,
            }

    @property
    def session_seconds(self) -> float:
        """After that time without a word a worker loses its partitions."""
        return float(str(self._settings["session_seconds"]))

    def __enter__(self) -> Self:
        warm_up()  # else each worker compiles for a minute while it is waited for
        with ExitStack() as cleanup:
            ensure_topics(load_settings(_env_file=None, **self._settings))
            self.database.start()
            cleanup.callback(self.database.stop)
            self._settings["clickhouse"] = self.database.address
            with connect(ClickHouseAddress.parse(self.database.address)) as client:
                migrate(client)
            cleanup.callback(self._end_workers)
            for name in ("score-1", "score-2", "sink"):
                self.start_worker(name)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    def start_worker(self, name: str, **settings: object) -> Worker:
        """Start ``score-N`` or ``sink``; its log lies in a folder of its own.

        If one of that name is there, it is killed with SIGKILL and waited for before.
        """
        if name in self.workers:
            _end([self.workers.pop(name)])
        self._incarnations += 1
        folder = self.folder / f"{self._incarnations:03d}-{name}"
        folder.mkdir(parents=True)
        kind = name.partition("-")[0]
        self.workers[name] = Worker(kind, folder, **self._settings, **settings)
        return self.workers[name]

    def kill(self, name: str) -> None:
        """SIGKILL, and a new one at once."""
        if name not in self.workers:
            raise KeyError(f"{name} does not run")
        self.start_worker(name)

    def stop_worker(self, name: str) -> None:
        """SIGTERM, and it does not come back."""
        process = self.workers.pop(name).process
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except Exception:
            process.kill()
            process.wait()
            raise

    def stand_still(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT that much later."""
        process = self.workers[name].process
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def revive(self) -> list[str]:
        """Start again what ended; the names. A worker may end itself rather than go on wrong."""
        ended = [name for name, w in self.workers.items() if w.process.poll() is not None]
        for name in ended:
            say(f"{name} ended ({self.workers[name].process.returncode}): started again")
            self.start_worker(name)
        return ended

    def kill_database(self) -> None:
        """SIGKILL to ClickHouse, which comes back at the same address."""
        if self.database.pid:
            os.killpg(self.database.pid, signal.SIGKILL)
        self.database.stop()
        self.database.start()

    def publish(self, count: int) -> None:
        """Publish the next records, until the broker has all of them."""
        publish(self.broker.address, self.load.chunk(count))

    @contextmanager
    def publishing(self, count: int, parts: int = 10) -> Iterator[None]:
        """Publish the next records in parts meanwhile."""
        failed: list[BaseException] = []

        def run() -> None:
            try:
                for _ in range(parts):
                    self.publish(count // parts)
                    time.sleep(_LOOK_SECONDS)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run, name="load")
        thread.start()
        try:
            yield
        finally:
            thread.join()
        if failed:
            raise failed[0]

    def settle(self, seconds: float = SETTLE_SECONDS) -> Comparison:
        """Wait until nothing differs any more; the last comparison if that does not happen."""
        deadline = time.monotonic() + seconds
        while True:
            self.revive()
            found = self.compare()
            if not found.differences or time.monotonic() > deadline:
                return found
            time.sleep(_LOOK_SECONDS)

    def compare(self) -> Comparison:
        """What differs now."""
        parts = urlsplit(self.database.address)
        with suppress(AssertionError, DriverError, EOFError, OSError, RenownError):
            client = Client(parts.hostname, parts.port, database="default", user="default")
            try:
                return compare(self.broker.address, client, PARTITIONS, self._checkpoints)
            finally:
                client.disconnect()
        return Comparison(0, 0, 0, ["a server is away"])

    def _end_workers(self) -> None:
        _end(list(self.workers.values()))


def _end(workers: list[Worker]) -> None:
    """SIGKILL, and wait for it."""
    for worker in workers:
        worker.process.kill()
    for worker in workers:
        worker.process.wait()


def publish(address: str, records: list[Published]) -> None:
    """Publish records in this order and wait until the broker has them."""
    producer = Producer(
        {
            "bootstrap.servers": address,
            "enable.idempotence": True,
            "linger.ms": 5,
            "compression.type": "lz4",
            "log_level": 0,
            "message.timeout.ms": int(_PUBLISH_SECONDS * 1000),
        }
    )
    for topic, partition, key, value in records:
        producer.produce(topic, value, key or None, partition)
        producer.poll(0)
    left = producer.flush(_PUBLISH_SECONDS)
    if left:
        raise AssertionError(f"{left} records could not be published")
