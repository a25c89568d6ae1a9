"""Without any fault everything is as the judge says: what the crash tests rely on."""

from pathlib import Path

import pytest

from renown.embedded.broker import EmbeddedBroker
from tests.crash.world import World
from tests.support.apache_kafka import ApacheKafka
from tests.support.fixtures import APACHE

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(500)]


@pytest.mark.parametrize("kind", ["embedded", pytest.param("apache", marks=APACHE)])
def test_a_quiet_run(tmp_path: Path, kind: str) -> None:
    broker = EmbeddedBroker() if kind == "embedded" else ApacheKafka()
    with broker, World(tmp_path, broker, "quiet") as world:
        for _ in range(3):
            world.publish(1_500)
        world.load.jump(30)
        world.publish(500)
        found = world.settle()
    assert found.differences == []
    assert found.rows > 3_000
