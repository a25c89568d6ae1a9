"""Three Apache Kafka nodes for tests: what happens when the leader of a partition is lost."""

import shutil
import tempfile
from pathlib import Path
from typing import Final, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from config.errors import Unreachable
from tests.support.apache_kafka import KafkaNode, new_cluster_id
from tests.support.stack import wait_until

NODES: Final = 3
_HEAP_MB = 320
_READY_SECONDS = 120.0
_ANSWER_SECONDS = 10.0
_TOGETHER = """
controller.quorum.voters={voters}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
unclean.leader.election.enable=false
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000
controller.quorum.election.timeout.ms=3000
controller.quorum.fetch.timeout.ms=4000
replica.lag.time.max.ms=10000
request.timeout.ms=15000
num.network.threads=2
num.io.threads=4
"""


class KafkaCluster:
    """Brokers that are controllers too, while the context lasts. Their logs go with them.

    A topic of three replicas takes a record once two of them have it.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._nodes: list[KafkaNode] = []

    @property
    def address(self) -> str:
        """All nodes, for bootstrap."""
        return ",".join(node.address for node in self._nodes)

    def start(self) -> Self:
        """Start all nodes and wait until they know each other; raises ``Unreachable``."""
        if self._nodes:
            return self
        self._folder = Path(tempfile.mkdtemp(prefix="renown-kafka-"))
        self._nodes = [KafkaNode(n, self._folder, heap_mb=_HEAP_MB) for n in range(1, NODES + 1)]
        voters = ",".join(f"{n.number}@127.0.0.1:{n.controller}" for n in self._nodes)
        cluster = new_cluster_id()
        try:
            for node in self._nodes:
                node.format(cluster, _TOGETHER.replace("{voters}", voters))
            for node in self._nodes:
                node.start()
            for node in self._nodes:
                node.wait()
            self.wait_whole()
        except BaseException:
            self.stop()
            raise
        return self

    def leader(self, topic: str, partition: int) -> int:
        """Number of the node that leads a partition; raises ``Unreachable`` if none does."""
        leader = int(self._metadata().topics[topic].partitions[partition].leader)
        if leader < 0:
            raise Unreachable(f"nobody leads {topic} {partition}")
        return leader

    def kill(self, number: int) -> None:
        """SIGKILL to a node."""
        self._nodes[number - 1].kill()

    def restart(self, number: int) -> None:
        """Start a node again that was killed, and wait until it has caught up."""
        node = self._nodes[number - 1]
        node.start()
        node.wait()
        self.wait_whole()

    def wait_whole(self) -> None:
        """Wait until every node is there and has all that was acknowledged."""
        wait_until(self._is_whole, _READY_SECONDS, "every replica in sync")

    def _is_whole(self) -> bool:
        try:
            found = self._metadata()
        except KafkaException:
            return False
        return len(found.brokers) == NODES and all(
            len(part.isrs) == NODES
            for topic in found.topics.values()
            for part in topic.partitions.values()
        )

    def _metadata(self) -> ClusterMetadata:
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        return admin.list_topics(timeout=_ANSWER_SECONDS)

    def stop(self) -> None:
        """End them all and remove their logs."""
        nodes, self._nodes = self._nodes, []
        for node in nodes:
            node.kill()  # SIGTERM would make each hand over what it leads
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
