"""What is sent is counted until it is acknowledged; what cannot be delivered ends the process."""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from streams.engine import outbox as module
from streams.engine.outbox import Outbox


class Stopped(Exception):
    """In place of the end of the process."""


class FakeMessage:
    def __init__(self, offset: int) -> None:
        self._offset = offset

    def offset(self) -> int:
        return self._offset

    def topic(self) -> str:
        return "scores"

    def partition(self) -> int:
        return 2


class FakeProducer:
    """Records wait until the test lets them be acknowledged; there is room for ``room``."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.waiting: list[tuple[Callable[..., None], FakeMessage]] = []
        self.room, self.error, self.served = 3, None, False

    def produce(
        self, topic: str, value: bytes, key: bytes | None, partition: int, delivered: Any
    ) -> None:
        if len(self.waiting) >= self.room:
            raise BufferError
        self.waiting.append((delivered, FakeMessage(len(self.sent))))
        self.sent.append((topic, partition, value, key))

    def poll(self, timeout: float) -> None:
        if timeout or self.served:
            waiting, self.waiting = self.waiting, []
            for delivered, message in waiting:
                delivered(self.error, message)


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> FakeProducer:
    fake = FakeProducer()
    monkeypatch.setattr(module, "Producer", lambda _options, logger: fake)

    def stop(what: str) -> NoReturn:
        raise Stopped(what)

    monkeypatch.setattr(module, "fail_stop", stop)
    return fake


def test_many_records_go_to_one_partition_in_order_also_where_the_queue_is_full(
    producer: FakeProducer,
) -> None:
    bodies = [b"%d" % number for number in range(8)]
    Outbox({}).send_many("scores", 2, bodies, iter(bodies))
    assert producer.sent == [("scores", 2, body, body) for body in bodies]


def test_offsets_are_told_to_who_asked(producer: FakeProducer) -> None:
    offsets: list[int] = []
    outbox = Outbox({})
    outbox.send_many("scores", 2, [b"a"], [b"a"])
    outbox.send("changelog", b"part", partition=1, on_offset=offsets.append)
    producer.served = True
    outbox.poll()
    assert offsets == [1]


def test_waiting_ends_when_all_that_was_sent_before_is_acknowledged(
    producer: FakeProducer,
) -> None:
    async def wait() -> None:
        outbox = Outbox({})
        outbox.send_many("scores", 2, [b"a", b"b"], [b"a", b"b"])
        waits = [asyncio.create_task(outbox.acknowledged()) for _ in range(2)]
        await asyncio.sleep(0.02)
        assert not any(task.done() for task in waits)
        earlier, producer.waiting = producer.waiting, []
        outbox.send("scores", b"later", partition=2)
        for delivered, message in earlier:
            delivered(None, message)
        await asyncio.wait_for(asyncio.gather(*waits), 5)
        assert len(producer.waiting) == 1, "what was sent later may still be on its way"

    asyncio.run(wait())


def test_a_record_that_cannot_be_delivered_ends_the_process(producer: FakeProducer) -> None:
    class Error:
        def str(self) -> str:
            return "Broker: Not enough replicas"

    producer.error, producer.served = Error(), True  # type: ignore[assignment]
    outbox = Outbox({})
    outbox.send_many("scores", 2, [b"a"], [b"a"])
    with pytest.raises(Stopped, match=r"scores partition 2 .Broker: Not enough replicas"):
        outbox.poll()
