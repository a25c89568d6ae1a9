"""A full disk under the checkpoints: whoever cannot store them ends, and nothing differs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from renown.embedded.broker import EmbeddedBroker
from tests.crash.run import DISK_MB
from tests.crash.world import World
from tests.support.apache_kafka import ApacheKafka
from tests.support.small_disk import SmallDisk, unavailable
from tests.support.stack import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

_RECORDS = 500
_END_SECONDS = 60.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A small disk of its own, where that can be."""
    if reason := unavailable():
        pytest.skip(reason)
    with SmallDisk(tmp_path / "disk", DISK_MB) as disk:
        yield disk


def test_checkpoints_in_files(tmp_path: Path, disk: SmallDisk) -> None:
    with EmbeddedBroker() as broker, World(tmp_path, broker, "disk", disk) as world:
        world.publish(_RECORDS)
        assert world.settle().differences == []
        scorers = [world.workers["score-1"], world.workers["score-2"]]
        disk.fill()
        world.publish(_RECORDS)
        wait_until(
            lambda: any(each.process.poll() is not None for each in scorers), _END_SECONDS, "an end"
        )
        said = "".join(each.log.read_text() for each in scorers)
        assert "a checkpoint failed: OSError: [Errno 28] No space left on device" in said
        world.revive()
        world.publish(_RECORDS)
        disk.make_room()
        assert world.settle().differences == []


@pytest.mark.apache
@pytest.mark.xdist_group("apache")
def test_logs_of_the_broker(tmp_path: Path, disk: SmallDisk) -> None:
    with (
        ApacheKafka(disk.folder / "logs") as broker,
        World(tmp_path, broker, "disk", disk) as world,
    ):
        world.publish(_RECORDS)
        assert world.settle().differences == []
        with world.publishing(_RECORDS):
            disk.fill()
            wait_until(lambda: not broker.node.running, _END_SECONDS, "the broker's end")
            disk.make_room()
            broker.kill_and_restart()
        assert world.settle().differences == []
