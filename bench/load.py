"""The load of the benchmarks: seeded interactions, published once and kept in the broker's logs.

Like the real thing in what costs time: most targets are seen once, a few all the time (Zipf), one
is hot, one record in a hundred comes twice, event time runs over three days with half a minute of
disorder, and the records of the five kinds are keyed by their actors.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import numpy as np
from confluent_kafka import Producer

from bench.common import PARTITIONS, say
from schemas.partitioner import partition_of
from schemas.topics import INTERACTION_TOPICS

BEGIN: Final = 1_780_000_000_000 // 86_400_000 * 86_400_000
"""Event time of the first interaction: a midnight of 2026, in ms."""

RECEIVED_MS: Final = 800
"""From an event to its receipt by an agent."""

_NETWORKS: Final = ("twitter", "bluesky", "mastodon")
_SHARES: Final = (0.5, 0.15, 0.1, 0.2, 0.05)
"""Of like, mention, comment, retweet, recommendation: the order of ``KINDS``."""
_CHUNK: Final = 200_000
_SAY_EVERY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """What is published. ``hot``: share of the events whose target is one account.

    ``accounts`` act; as many at most are targets (Zipf with exponent ``skew``; 0: each as often).
    ``days``: of event time. Equal loads are equal to the byte.
    """

    events: int = 4_000_000
    accounts: int = 300_000
    days: float = 3.0
    hot: float = 0.03
    skew: float = 1.25
    duplicates: float = 0.01
    seed: int = 1

    @property
    def name(self) -> str:
        """Short and different for different loads."""
        text = repr(sorted(asdict(self).items())).encode()
        return f"load-{self.events}-{blake2b(text, digest_size=4).hexdigest()}"


class Event(NamedTuple):
    """An encoded interaction and where it goes; ``kind`` indexes ``INTERACTION_TOPICS``."""

    kind: int
    partition: int
    key: bytes
    value: bytes
    target: bytes


class Names:
    """Account number → name and partition, made once."""

    def __init__(self, accounts: int) -> None:
        self.names = [b"%s:user%07d" % (_NETWORKS[a % 3].encode(), a) for a in range(accounts)]
        self.partitions = [partition_of(name.decode(), PARTITIONS) for name in self.names]


def events_of(load: Load, names: Names | None = None) -> Iterator[Event]:
    """All events of a load, the repeated ones right behind one of the next ones."""
    names = names or Names(load.accounts)
    random = np.random.default_rng(load.seed)
    made = 0
    repeated: Event | None = None
    while made < load.events:
        size = min(_CHUNK, load.events - made)
        columns = _draw(load, random, size, made)
        for number, (actor, target, kind, at, post, again) in enumerate(zip(*columns, strict=True)):
            if repeated and made < load.events:
                yield repeated
                made, repeated = made + 1, None
            if made >= load.events:
                return
            event = _encode(load, names, made + number, actor, target, kind, at, post)
            yield event
            made += 1
            repeated = event if again else None


def _draw(load: Load, random: np.random.Generator, size: int, made: int) -> list[list[Any]]:
    """Columns of the next ``size`` events, as lists, which are quick to go through."""
    actors = random.integers(0, load.accounts, size)
    if load.skew:
        targets = random.zipf(load.skew, size) * 7919 % load.accounts
    else:
        targets = random.integers(0, load.accounts, size)
    targets[random.random(size) < load.hot] = 42 % load.accounts
    targets = np.where(targets == actors, (targets + 1) % load.accounts, targets)
    passed = (made + np.arange(size)) * (load.days * 86_400_000 / load.events)
    at = BEGIN + passed.astype(np.int64) + random.integers(0, 30_000, size)
    kinds = random.choice(5, size, p=_SHARES)
    posts = random.integers(0, 10**9, size)
    again = random.random(size) < load.duplicates
    return [c.tolist() for c in (actors, targets, kinds, at, posts, again)]


def _encode(
    load: Load, names: Names, number: int, actor: int, target: int, kind: int, at: int, post: int
) -> Event:
    network = _NETWORKS[actor % 3]
    name = names.names[actor]
    goal = names.names[target]
    value = (
        b'{"v":1,"id":"%s-%04x-%012x","kind":"%s","network":"%s","actor":"%s","target":"%s",'
        b'"object":"post:%09d","at":%d,"received_at":%d}'
        % (
            *(network[:2].encode(), load.seed, number, _KIND_NAMES[kind], network.encode()),
            *(name, goal, post, at, at + RECEIVED_MS),
        )
    )
    return Event(kind, names.partitions[actor], name, value, goal)


def publish(kafka: str, load: Load) -> int:
    """Publish a load to the five topics of a broker; returns the bytes of its values."""
    producer = Producer(
        {
            "bootstrap.servers": kafka,
            "enable.idempotence": True,
            "linger.ms": 50,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 1_000_000,
            "compression.type": "none",
            "log_level": 0,
        }
    )
    topics = [topic.value for topic in INTERACTION_TOPICS]
    size = 0
    for count, event in enumerate(events_of(load)):
        while True:
            try:
                producer.produce(topics[event.kind], event.value, event.key, event.partition)
                break
            except BufferError:
                producer.poll(0.05)
        size += len(event.value)
        if count % 1000 == 0:
            producer.poll(0)
        if count % _SAY_EVERY == _SAY_EVERY - 1:
            say(f"{count + 1:,} of {load.events:,} events published")
    if left := producer.flush(120):
        raise RuntimeError(f"{left} records were not acknowledged")
    return size


_KIND_NAMES: Final = [t.value.removeprefix("interactions.").encode() for t in INTERACTION_TOPICS]
