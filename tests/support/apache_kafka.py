"""Apache Kafka for tests: one node in KRaft mode, started and stopped like the embedded broker."""

import base64
import os
import re
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Final, Self

from config.errors import Unreachable
from renown.embedded.broker import answers
from renown.embedded.process import LOOPBACK, ChildProcess, free_port
from schemas.topics import LARGEST_RECORD
from tests.support.maven import cache_folder, jars

VERSION = "4.1.0"
HEAP_MB: Final = 512
_FOLDER = f"kafka-{VERSION}"
_COORDINATES = [f"org.apache.kafka:kafka_2.13:{VERSION}", "org.slf4j:slf4j-simple:1.7.36"]
_OLDEST_JAVA = 17
_START_SECONDS = 90.0
_STOP_SECONDS = 20.0
_JVM = [
    *("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
]
_SETTINGS = f"""
process.roles=broker,controller
node.id={{number}}
listeners=BROKER://{LOOPBACK}:{{port}},CONTROLLER://{LOOPBACK}:{{controller}}
advertised.listeners=BROKER://{LOOPBACK}:{{port}}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={{logs}}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
message.max.bytes={2 * LARGEST_RECORD}
"""
_ALONE = f"""
controller.quorum.bootstrap.servers={LOOPBACK}:{{controller}}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
"""


def available() -> str | None:
    """Why it cannot be used here, None if it can. Asks no network."""
    java = shutil.which("java")
    if not java:
        return "Apache Kafka needs a Java runtime (java)"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if not version or int(version[1]) < _OLDEST_JAVA:
        return f"Apache Kafka {VERSION} needs Java {_OLDEST_JAVA} or newer"
    if not (cache_folder() / _FOLDER).is_dir() and not shutil.which("mvn"):
        return "Apache Kafka is fetched with Maven (mvn), which is not installed"
    return None


class KafkaNode:
    """The process of one broker and controller, with its settings and logs in ``folder``."""

    def __init__(
        self, number: int, folder: Path, *, heap_mb: int, logs: Path | None = None
    ) -> None:
        """``logs``: another folder for its logs."""
        self.number = number
        self.port, self.controller = free_port(), free_port()
        self._settings = folder / f"node-{number}.properties"
        self._logs = logs or folder / f"node-{number}"
        self._heap_mb = heap_mb
        self._run: list[str] = []
        self._child: ChildProcess | None = None

    @property
    def address(self) -> str:
        """``127.0.0.1:port`` for clients."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id while started."""
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        """Whether its process is alive."""
        return self._child is not None and self._child.running

    def format(self, cluster: str, settings: str, *options: str) -> None:
        """Fetch Kafka if need be and prepare the logs.

        ``cluster``: its id; ``settings``: lines that go with those of every node; ``options``: of
        Kafka's ``kafka-storage format``. Raises ``Unreachable``.
        """
        java, classes = shutil.which("java"), jars(_FOLDER, _COORDINATES)
        if not java:
            raise Unreachable("Apache Kafka needs a Java runtime (java)")
        self._run = [java, f"-Xmx{self._heap_mb}m", *_JVM, "-cp", f"{classes}/*"]
        written = (_SETTINGS + settings).format(
            number=self.number, port=self.port, controller=self.controller, logs=self._logs
        )
        self._settings.write_text(written)
        given = ["format", *options, "-t", cluster, "-c", str(self._settings)]
        done = subprocess.run(
            [*self._run, "kafka.tools.StorageTool", *given],
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
        )
        if done.returncode:
            raise Unreachable(
                f"Apache Kafka cannot format its folder: {done.stderr.strip()[-300:]}"
            )

    def start(self) -> None:
        """Start it; ``wait`` says when it is there."""
        command = [*self._run, "kafka.Kafka", str(self._settings)]
        self._child = ChildProcess(f"Apache Kafka {self.number}", command).start()

    def wait(self) -> None:
        """Wait until it answers; raises ``Unreachable`` if it ends or does not."""
        if self._child is None:
            raise Unreachable(f"Apache Kafka {self.number} was not started")
        self._child.wait_ready(lambda: answers(self.port), _START_SECONDS)

    def kill(self) -> None:
        """SIGKILL; its logs stay."""
        child, self._child = self._child, None
        if child:
            if child.running and child.pid:
                os.killpg(child.pid, signal.SIGKILL)
            child.stop()

    def stop(self) -> None:
        """SIGTERM, or SIGKILL if it takes too long; its logs stay."""
        child, self._child = self._child, None
        if child:
            child.stop(_STOP_SECONDS)


class ApacheKafka:
    """An Apache Kafka on a loopback port while the context lasts. Its logs go with it."""

    def __init__(self, logs: Path | None = None) -> None:
        """``logs``: a folder for its logs, which it leaves there."""
        self._logs = logs
        self._folder: Path | None = None
        self._node: KafkaNode | None = None

    @property
    def address(self) -> str:
        """``127.0.0.1:port`` for bootstrap; only while started."""
        return self.node.address

    @property
    def pid(self) -> int | None:
        """Process id while started."""
        return self._node.pid if self._node else None

    @property
    def node(self) -> KafkaNode:
        """Its only node; only while started."""
        if not self._node:
            raise RuntimeError("Apache Kafka is not started")
        return self._node

    def start(self) -> Self:
        """Fetch it if need be, start it and wait until it answers; raises ``Unreachable``."""
        if self._node:
            return self
        self._folder = Path(tempfile.mkdtemp(prefix="renown-kafka-"))
        self._node = KafkaNode(1, self._folder, heap_mb=HEAP_MB, logs=self._logs)
        try:
            self._node.format(new_cluster_id(), _ALONE, "--standalone")
            self._node.start()
            self._node.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def kill_and_restart(self) -> None:
        """SIGKILL, and a new process with the same logs at the same address."""
        self.node.kill()
        self.node.start()
        self.node.wait()

    def stop(self) -> None:
        """Stop it and remove its logs."""
        node, self._node = self._node, None
        if node:
            node.stop()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def new_cluster_id() -> str:
    """A random id as Kafka wants it."""
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return "A" + cluster[1:] if cluster.startswith("-") else cluster  # would look like an option
