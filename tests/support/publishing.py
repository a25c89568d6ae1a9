"""Stand-ins for what agents meet: an outlet in memory, and a clock that only tests move."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from config.errors import RenownError
from schemas.account import AccountFacts
from schemas.interaction import Heartbeat, Interaction
from schemas.partitioner import murmur2, partition_of
from schemas.post import Post
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.core.records import Record

NOW = 1_760_000_000_000
"""2025-10-09 in milliseconds: when tests publish."""


class Sent(NamedTuple):
    """A published record."""

    topic: Topic
    partition: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class MemoryOutlet:
    """Keeps what is published. It acknowledges at each ``poll`` and ``flush`` unless ``deaf``.

    ``fails_at``: the record with this number (from 0) is refused.
    """

    def __init__(self, partitions: int = 4, fails_at: int | None = None) -> None:
        self.sent: list[Sent] = []
        self.clocks: list[int] = []
        self.published: list[Interaction] = []
        self.posts: list[Post] = []
        self.accounts: list[AccountFacts] = []
        self.deaf = False
        self.on_publish: Callable[[], None] = lambda: None
        self._partitions = partitions
        self._fails_at = fails_at
        self._waiting: list[Callable[[], None]] = []

    def publish(self, interaction: Interaction, encoded: bytes | None = None) -> None:
        self._keep(
            Topic.of_kind(interaction.kind),
            partition_of(interaction.actor, self._partitions),
            interaction.actor.encode(),
            msgspec.json.encode(interaction) if encoded is None else encoded,
        )
        self.published.append(interaction)
        self.on_publish()

    def publish_raw(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        value = value or b""
        partition = (murmur2(value if key is None else key) & 0x7FFFFFFF) % self._partitions
        self._keep(topic, partition, key, value, tuple(headers))

    def publish_post(self, post: Post) -> None:
        self._keep_of(Topic.POSTS, post.author, post)
        self.posts.append(post)

    def publish_account(self, facts: AccountFacts) -> None:
        self._keep_of(Topic.ACCOUNTS, facts.account, facts)
        self.accounts.append(facts)

    def heartbeat(self, clock: int) -> None:
        self.clocks.append(clock)
        value = msgspec.json.encode(Heartbeat(clock=clock))
        for topic in INTERACTION_TOPICS:
            for partition in range(self._partitions):
                self._keep(topic, partition, None, value)

    def after_acknowledged(self, callback: Callable[[], None]) -> None:
        self._waiting.append(callback)

    def poll(self) -> None:
        if not self.deaf:
            waiting, self._waiting = self._waiting, []
            for callback in waiting:
                callback()

    def flush(self) -> None:
        self.poll()

    def logs(self) -> dict[tuple[Topic, int], list[Record]]:
        """The records as a broker would hold them, published at NOW."""
        logs: dict[tuple[Topic, int], list[Record]] = {
            (topic, partition): []
            for topic in INTERACTION_TOPICS
            for partition in range(self._partitions)
        }
        for sent in self.sent:
            log = logs.setdefault((sent.topic, sent.partition), [])
            log.append(Record(len(log), NOW, sent.key, sent.value, sent.headers))
        return logs

    def _keep_of(self, topic: Topic, account: str, message: msgspec.Struct) -> None:
        partition = partition_of(account, self._partitions)
        self._keep(topic, partition, account.encode(), msgspec.json.encode(message))

    def _keep(
        self,
        topic: Topic,
        partition: int,
        key: bytes | None,
        value: bytes,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        if len(self.sent) == self._fails_at:
            raise RenownError("the broker refused a record")
        self.sent.append(Sent(topic, partition, key, value, headers))


class StillClock:
    """Stands still except in ``sleep``, and moves ``step`` seconds each time it is looked at."""

    def __init__(self, step: float = 0.0) -> None:
        self.seconds = 0.0
        self.step = step
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return NOW + int(self.seconds * 1000)

    def monotonic(self) -> float:
        self.seconds += self.step
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
