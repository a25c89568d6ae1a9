"""A worker dies at and between each of the steps of the commit order, and nothing differs."""

from collections.abc import Iterator

import pytest

from streams.engine.crash_points import Point
from tests.crash.world import World
from tests.support.apache_kafka import ApacheKafka
from tests.support.days import DAY_POINTS
from tests.support.fixtures import APACHE
from tests.support.stack import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400), *APACHE]

_RECORDS = 400
_DEATH_SECONDS = 120.0
_SIGKILL = -9


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("points")
    with ApacheKafka() as kafka, World(folder, kafka, "points") as world:
        world.publish(_RECORDS)
        assert world.settle().differences == []
        yield world


@pytest.mark.parametrize("point", [p for p in Point if p not in DAY_POINTS], ids=str)
def test_death_at(world: World, point: Point) -> None:
    name = "sink" if point.value.startswith("sink") else "score-1"
    world.stop_worker(name)
    doomed = world.start_worker(name, crash_at=point.value)

    def dead() -> bool:
        if doomed.process.poll() is None:
            world.publish(_RECORDS // 4)
        return doomed.process.poll() is not None

    wait_until(dead, _DEATH_SECONDS, f"death at {point.value}")
    assert doomed.process.returncode == _SIGKILL, doomed.log.read_text()
    world.publish(_RECORDS)
    found = world.settle()
    assert found.differences == []
