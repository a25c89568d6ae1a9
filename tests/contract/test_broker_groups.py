"""Consumer groups as the workers use them: through aiokafka, positions committed by hand."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import closing, suppress

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError
from kafka import KafkaProducer

from tests.support.stack import create_topics

PARTITIONS = 4
WAIT_SECONDS = 40.0
SESSION_MS = 3000
"""The embedded broker lets a group wait for half of this before it hands out partitions."""


def consumer_of(broker: str, topic: str, group: str) -> AIOKafkaConsumer:
    """A member of ``group``, not yet started."""
    return AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=500,
        max_poll_interval_ms=SESSION_MS,
        fetch_max_wait_ms=50,
    )


def filled_topic(broker: str, count: int) -> str:
    """A topic whose partitions hold "0", "1", … in turn."""
    name = f"g-{uuid.uuid4().hex[:12]}"
    create_topics(broker, {name: PARTITIONS})
    with closing(KafkaProducer(bootstrap_servers=broker, acks="all", linger_ms=20)) as producer:
        for number in range(count):
            producer.send(name, value=b"%d" % number, partition=number % PARTITIONS)
        producer.flush()
    return name


class Member:
    """A consumer that takes a few records at a time, notes them, and commits what it has noted."""

    def __init__(self, broker: str, topic: str, group: str, notes: list[ConsumerRecord]) -> None:
        self.consumer = consumer_of(broker, topic, group)
        self._notes = notes
        self._leave = asyncio.Event()

    @property
    def partitions(self) -> set[int]:
        """What it owns now."""
        return {part.partition for part in self.consumer.assignment()}

    def leave(self) -> None:
        """Have ``run`` end."""
        self._leave.set()

    async def run(self) -> None:
        """Join, consume until told to leave, leave."""
        async with self.consumer as consumer:
            while not self._leave.is_set():
                batches = await consumer.getmany(timeout_ms=50, max_records=20)
                for records in batches.values():
                    self._notes += records
                # A commit that comes too late in a rebalance fails: the next owner repeats it.
                owned = consumer.assignment()
                done = {part: own[-1].offset + 1 for part, own in batches.items() if part in owned}
                if done:
                    with suppress(CommitFailedError, IllegalStateError):
                        await consumer.commit(done)


async def until(condition: Callable[[], bool]) -> None:
    """Wait, for ``WAIT_SECONDS`` at most."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110 (what is waited for is the broker's doing)
            await asyncio.sleep(0.05)


def test_committed_offsets_survive_the_member(broker: str) -> None:
    topic = filled_topic(broker, 400)
    part = TopicPartition(topic, 2)

    async def commit() -> None:
        async with consumer_of(broker, topic, topic) as consumer:
            await consumer.commit({part: 42})

    async def look() -> tuple[int | None, int, int | None]:
        async with consumer_of(broker, topic, topic) as consumer:
            other = await consumer.committed(TopicPartition(topic, 1))
            return await consumer.committed(part), await consumer.position(part), other

    asyncio.run(commit())
    assert asyncio.run(look()) == (42, 42, None)


def test_nothing_is_lost_while_members_come_and_go(broker: str) -> None:
    """A member joins another in mid-flow; the first then leaves. Repeats are allowed, gaps not."""
    count = 4000
    topic = filled_topic(broker, count)

    async def flow() -> list[ConsumerRecord]:
        notes: list[ConsumerRecord] = []
        first, second = (Member(broker, topic, topic, notes) for _ in range(2))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(first.run())
            await until(lambda: len(notes) > 100)
            tasks.create_task(second.run())
            await until(lambda: len(first.partitions) == len(second.partitions) == 2)
            assert first.partitions | second.partitions == set(range(PARTITIONS))
            first.leave()
            await until(lambda: len(second.partitions) == PARTITIONS)
            await until(lambda: len({record.value for record in notes}) == count)
            second.leave()
        return notes

    notes = asyncio.run(flow())
    assert {record.value for record in notes} == {b"%d" % number for number in range(count)}
