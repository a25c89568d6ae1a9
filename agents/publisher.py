"""Publishing to the interaction topics: nothing is lost, memory is bounded, failures are told.

Records are keyed by the actor. Each is remembered until the broker has acknowledged it; how many
bytes may wait is bounded, and beyond that ``publish`` waits. A failed delivery is final: the next
call raises it, and so does every later one, because an idempotent producer cannot tell whether a
record that timed out arrived. Whoever wants to go on makes a new publisher and starts again behind
the last acknowledged position; ids make what comes twice harmless.
"""

import socket
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError
from kafka.producer.future import FutureRecordMetadata

from config.errors import RenownError, Unreachable, WrongUse
from schemas.account import AccountFacts
from schemas.interaction import Heartbeat, Interaction
from schemas.partitioner import murmur2, partition_of
from schemas.post import Post
from schemas.topics import INTERACTION_TOPICS, LARGEST_RECORD, Topic

_REAP_EVERY: Final = 256
_RECORD_OVERHEAD: Final = 700
"""Bytes that the client and we hold for a waiting record, beside its key and value."""
_CONNECT_MS: Final = 5_000
_CLOSE_SECONDS: Final = 1.0
_METADATA_MS: Final = 10_000
_AWAY: Final = (KafkaTimeoutError, KafkaConnectionError)

_TOPIC_OF: Final = {
    kind: topic
    for topic in INTERACTION_TOPICS
    for kind in [topic.value.removeprefix("interactions.")]
}


class DeliveryFailed(RenownError):
    """The broker refused a record."""


class Publisher:
    """Publishes for one thread. Use it as a context: a clean end flushes.

    Args:
        options: connection options of kafka-python, ``bootstrap_servers`` among them.
        partitions: of every interaction topic.
        agent: named in heartbeats.
        compression: None, or a codec whose library is installed and that the broker takes.
        waiting_bytes: how much may wait for acknowledgement.
        delivery_seconds: how long a record may stay unacknowledged.

    Raises:
        Unreachable: no broker answers.
        WrongUse: a topic is missing or has another number of partitions.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        partitions: int,
        *,
        agent: str = "",
        compression: str | None = None,
        batch_bytes: int = 64 * 1024,
        linger_ms: int = 20,
        waiting_bytes: int = 16 * 1024 * 1024,
        delivery_seconds: float = 30.0,
    ) -> None:
        self.published: Counter[tuple[str, str]] = Counter()
        """(network, kind) → interactions published so far, acknowledged or not."""
        self._where = _servers(options)
        self._partitions = partitions
        self._agent = agent
        self._waiting_limit = waiting_bytes
        self._delivery_seconds = delivery_seconds
        self._failure: RenownError | None = None
        self._waiting_bytes = 0
        self._waiting: dict[tuple[str, int], deque[tuple[FutureRecordMetadata, int]]] = {
            (topic.value, p): deque() for topic in INTERACTION_TOPICS for p in range(partitions)
        }
        self._sent: Counter[tuple[str, int]] = Counter()
        self._acknowledged: Counter[tuple[str, int]] = Counter()
        self._marks: deque[tuple[dict[tuple[str, int], int], Callable[[], None]]] = deque()
        self._until_reap = _REAP_EVERY
        self._encode = msgspec.json.Encoder().encode
        _require_listener(self._where)
        try:
            self._producer = KafkaProducer(
                **options,
                acks="all",
                enable_idempotence=True,
                allow_auto_create_topics=False,
                compression_type=compression,
                batch_size=batch_bytes,
                linger_ms=linger_ms,
                max_request_size=LARGEST_RECORD,
                max_block_ms=_METADATA_MS,
                bootstrap_timeout_ms=_CONNECT_MS,
                request_timeout_ms=min(15_000, int(delivery_seconds * 500)),
                delivery_timeout_ms=int(delivery_seconds * 1000),
                reconnect_backoff_max_ms=1_000,
                metrics_enabled=False,
            )
        except KafkaError as error:
            raise Unreachable(
                f"cannot reach Kafka at {self._where} ({_cause(error)}): "
                "start it or correct RENOWN_KAFKA"
            ) from error
        try:
            self._check_topics()
        except BaseException:
            _end(self._producer)
            raise

    def publish(self, interaction: Interaction, encoded: bytes | None = None) -> None:
        """Publish one interaction; ``encoded``: its JSON where that is at hand already."""
        kind = interaction.kind.value
        value = self._encode(interaction) if encoded is None else encoded
        self._send_keyed(_TOPIC_OF[kind], interaction.actor, value)
        self.published[interaction.network, kind] += 1

    def publish_raw(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Publish bytes as they are; without a key the value decides the partition."""
        hashed = murmur2(key if key is not None else (value or b""))
        partition = (hashed & 0x7FFFFFFF) % self._partitions
        self._send(topic, partition, key, value, list(headers))

    def publish_post(self, post: Post) -> None:
        """Publish a post, or that it was deleted, keyed by its author."""
        self._send_keyed(Topic.POSTS, post.author, self._encode(post))

    def publish_account(self, facts: AccountFacts) -> None:
        """Publish facts of an account, keyed by it."""
        self._send_keyed(Topic.ACCOUNTS, facts.account, self._encode(facts))

    def heartbeat(self, clock: int) -> None:
        """Tell every partition of the five topics that event time has reached ``clock`` (ms)."""
        value = self._encode(Heartbeat(clock=clock, agent=self._agent))
        for topic in INTERACTION_TOPICS:
            for partition in range(self._partitions):
                self._send(topic, partition, None, value)

    def after_acknowledged(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` when everything published up to now is acknowledged.

        It is called on this thread, in the order of registration, by a later ``publish``, ``poll``
        or ``flush``; never if a delivery fails before.
        """
        self._marks.append((dict(self._sent), callback))

    def poll(self) -> None:
        """Notice acknowledgements and failures; call it where nothing is published for a while."""
        self._until_reap = _REAP_EVERY
        self._check_failure()
        self._reap()

    def flush(self) -> None:
        """Wait until everything is acknowledged."""
        self._check_failure()
        try:
            self._producer.flush(self._delivery_seconds)
        except KafkaTimeoutError:
            self._reap()  # a failed delivery says more than the time that has passed
            self._fail(self._away("no acknowledgement"))
        self._reap()
        if self._waiting_bytes:  # a batch that was split has new records to wait for
            self._wait_below(1)

    def close(self, *, flush: bool = True) -> None:
        """Close the connection, by default after everything is acknowledged."""
        try:
            if flush and self._failure is None:
                self.flush()
        finally:
            # What still waits here was reported as failed or is given up by the caller.
            _end(self._producer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(flush=kind is None)

    def _send_keyed(self, topic: Topic, account: str, value: bytes) -> None:
        self._send(topic, partition_of(account, self._partitions), account.encode(), value)

    def _send(
        self,
        topic: Topic,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        size = _RECORD_OVERHEAD + len(value or b"") + len(key or b"")
        self._until_reap -= 1
        if not self._until_reap:
            self.poll()
        if self._failure or self._waiting_bytes + size > self._waiting_limit:
            self._check_failure()
            self._wait_below(max(1, self._waiting_limit - size))
        place = (topic.value, partition)
        try:
            future = self._producer.send(topic.value, value, key, headers, partition)
        except _AWAY as error:
            self._fail(self._away(_cause(error)), error)
        except (KafkaError, ValueError) as error:
            self._fail(_refused(topic.value, error), error)
        self._waiting.setdefault(place, deque()).append((future, size))
        self._waiting_bytes += size
        self._sent[place] += 1

    def _reap(self) -> None:
        """Forget what is acknowledged, raise what failed, then call whom it concerns."""
        for place, waiting in self._waiting.items():
            gone = 0
            while waiting and waiting[0][0].is_done:
                future, size = waiting.popleft()
                gone += 1
                self._waiting_bytes -= size
                if (error := future.exception) is not None:
                    away = isinstance(error, _AWAY)
                    self._fail(
                        self._away(_cause(error)) if away else _refused(place[0], error), error
                    )
            if gone:
                self._acknowledged[place] += gone
        while self._marks:
            wanted, callback = self._marks[0]
            if any(self._acknowledged[place] < count for place, count in wanted.items()):
                break
            self._marks.popleft()
            callback()

    def _wait_below(self, limit: int) -> None:
        """Wait until fewer than ``limit`` bytes wait; in each round for one of the records."""
        self._reap()
        while self._waiting_bytes >= limit:
            longest = max(self._waiting.values(), key=len)
            try:
                longest[0][0].get(self._delivery_seconds)
            except KafkaError as error:
                self._reap()
                self._fail(self._away(_cause(error)), error)
            self._reap()

    def _check_topics(self) -> None:
        for topic in INTERACTION_TOPICS:
            try:
                found = len(self._producer.partitions_for(topic.value))
            except KafkaTimeoutError as error:
                raise Unreachable(
                    f"Kafka at {self._where} does not tell about topic {topic.value}: "
                    "make the topics with renown migrate, or look at the broker"
                ) from error
            except KafkaError as error:
                raise _refused(topic.value, error) from error
            if found != self._partitions:
                raise WrongUse(
                    f"topic {topic.value} has {found} partitions, not {self._partitions}: "
                    f"set RENOWN_PARTITIONS={found}"
                )

    def _check_failure(self) -> None:
        if self._failure:
            raise self._failure

    def _fail(self, failure: RenownError, cause: BaseException | None = None) -> None:
        self._failure = failure
        raise failure from cause

    def _away(self, cause: str) -> Unreachable:
        return Unreachable(
            f"Kafka at {self._where} took nothing for {self._delivery_seconds:g} s ({cause}): "
            "look at the broker, then start again; publishing goes on where it was acknowledged"
        )


def _require_listener(servers: str) -> None:
    """Raise ``Unreachable`` unless a server takes connections.

    The client itself would try for seconds, say less, and leave its sockets open.
    """
    reasons = []
    for server in filter(None, servers.split(", ")):
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _CONNECT_MS / 1000).close()
        except (OSError, ValueError) as error:
            reasons.append(f"{server} ({getattr(error, 'strerror', None) or error})")
        else:
            return
    raise Unreachable(
        f"cannot reach Kafka at {', '.join(reasons)}: start it or correct RENOWN_KAFKA"
    )


def _end(producer: KafkaProducer) -> None:
    """Close without waiting for what is not delivered."""
    try:
        producer.close(timeout=_CLOSE_SECONDS)
    except KafkaTimeoutError:
        # kafka-python 3.0 flushes first and, where that fails, leaves its thread running, which
        # then tries to connect without a pause.
        sender = producer._sender
        sender.force_close()
        sender.join(_CLOSE_SECONDS)


def _refused(topic: str, error: BaseException) -> DeliveryFailed:
    return DeliveryFailed(
        f"Kafka refused a record for {topic} ({_cause(error)}): "
        "correct the cause and start again; publishing goes on where it was acknowledged"
    )


def _cause(error: BaseException) -> str:
    """One line about a Kafka error, which may have no text of its own."""
    text = " ".join(str(error).split())
    return text if text else type(error).__name__


def _servers(options: Mapping[str, Any]) -> str:
    servers = options.get("bootstrap_servers", "")
    return servers if isinstance(servers, str) else ", ".join(servers)
