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
from typing import Self

from config.errors import Unreachable
from renown.embedded.broker import answers
from renown.embedded.process import LOOPBACK, ChildProcess, free_port
from schemas.topics import LARGEST_RECORD
from tests.support.maven import cache_folder, jars

VERSION = "4.1.0"
_FOLDER = f"kafka-{VERSION}"
_COORDINATES = [f"org.apache.kafka:kafka_2.13:{VERSION}", "org.slf4j:slf4j-simple:1.7.36"]
_OLDEST_JAVA = 17
_START_SECONDS = 90.0
_JVM = [
    *("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
]
_SETTINGS = f"""
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


class ApacheKafka:
    """An Apache Kafka on a loopback port while the context lasts. Its logs go with it."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._child: ChildProcess | None = None
        self._command: list[str] = []
        self._port = 0

    @property
    def address(self) -> str:
        """``127.0.0.1:port`` for bootstrap."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def pid(self) -> int | None:
        """Process id while started."""
        return self._child.pid if self._child else None

    def start(self) -> Self:
        """Fetch it if need be, start it and wait until it answers; raises ``Unreachable``."""
        if self._child:
            return self
        java, classes = shutil.which("java"), jars(_FOLDER, _COORDINATES)
        if not java:
            raise Unreachable("Apache Kafka needs a Java runtime (java)")
        self._folder = Path(tempfile.mkdtemp(prefix="renown-kafka-"))
        self._port = free_port()
        settings = self._folder / "server.properties"
        settings.write_text(
            _SETTINGS.format(port=self._port, controller=free_port(), logs=self._folder / "logs")
        )
        run = [java, *_JVM, "-cp", f"{classes}/*"]
        try:
            _format(run, settings)
            self._command = [*run, "kafka.Kafka", str(settings)]
            self._run()
        except BaseException:
            self.stop()
            raise
        return self

    def kill_and_restart(self) -> None:
        """SIGKILL, and a new process with the same logs at the same address."""
        child, self._child = self._child, None
        if child:
            if child.pid:
                os.killpg(child.pid, signal.SIGKILL)
            child.stop()
            self._run()

    def stop(self) -> None:
        """Stop it and remove its logs."""
        child, self._child = self._child, None
        if child:
            child.stop(20.0)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _run(self) -> None:
        self._child = ChildProcess("Apache Kafka", self._command)
        self._child.start().wait_ready(lambda: answers(self._port), _START_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _format(run: list[str], settings: Path) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    if cluster.startswith("-"):  # would look like an option
        cluster = "A" + cluster[1:]
    options = ["format", "--standalone", "-t", cluster, "-c", str(settings)]
    done = subprocess.run(
        [*run, "kafka.tools.StorageTool", *options],
        capture_output=True,
        text=True,
        timeout=_START_SECONDS,
        check=False,
    )
    if done.returncode:
        raise Unreachable(f"Apache Kafka cannot format its folder: {done.stderr.strip()[-300:]}")
