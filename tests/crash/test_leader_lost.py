"""Three brokers, of which one is lost that leads partitions in use: nothing differs."""

import random
from pathlib import Path

import pytest

from tests.crash.faults import lose_leader
from tests.crash.world import World
from tests.support.fixtures import APACHE
from tests.support.kafka_cluster import KafkaCluster

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600), *APACHE]

_RECORDS = 600


def test_leaders_are_lost(tmp_path: Path) -> None:
    pick = random.Random("leaders")
    with KafkaCluster() as cluster, World(tmp_path, cluster, "leaders") as world:
        for _ in range(2):
            with world.publishing(_RECORDS):
                lose_leader(world, pick)
            found = world.settle()
            assert found.differences == []
    assert found.rows > _RECORDS
