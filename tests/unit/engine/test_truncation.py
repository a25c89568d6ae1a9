"""A changelog that could not be truncated for a while is truncated later."""

import asyncio
from unittest.mock import patch

import pytest
from confluent_kafka import KafkaError

from streams.engine import checkpoint, checkpoint_files
from tests.support.simulated_log import UNNOTICED, Clock, SimulatedLog, SimulatedOwner


@pytest.mark.parametrize(
    ("refusal", "again"),
    [
        (KafkaError.NOT_LEADER_FOR_PARTITION, True),
        (KafkaError._TIMED_OUT, True),
        (KafkaError.UNSUPPORTED_VERSION, False),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, False),
    ],
)
def test_truncation_after_an_error(refusal: int, again: bool) -> None:
    log, clock = SimulatedLog(), Clock()

    async def checkpoints(owner: SimulatedOwner, count: int) -> None:
        for _ in range(count):
            owner.state.number += 1
            await owner.checkpoint()
            clock.now += UNNOTICED + 1

    async def scenario() -> None:
        owner = SimulatedOwner(log, None)
        await owner.read()
        await owner.fence()
        log.refusal = refusal
        await checkpoints(owner, 8)
        assert min(log.records) == 0, "nothing could be deleted"
        log.refusal = None
        await checkpoints(owner, 8)
        assert (min(log.records) > 0) == again

    with patch.object(checkpoint, "time", clock), patch.object(checkpoint_files, "time", clock):
        asyncio.run(scenario())
