"""The embedded broker forgets what everybody has read, and nobody notices."""

from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition

from config.settings import ClickHouseAddress
from renown.audit import audit
from renown.run.options import Play
from renown.run.player import Player
from renown.run.stack import Stack
from schemas.topics import INTERACTION_TOPICS
from streams.sinks.client import Database
from streams.sinks.lineage import newest_log
from tests.support import flow

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]


def test_what_is_forgotten_is_missed_by_nobody(tmp_path: Path) -> None:
    said: list[str] = []
    settings = flow.settings_for(tmp_path)
    with Stack(
        settings, tmp_path / "up", fresh=True, most_broker_bytes=1, say=said.append
    ) as stack:
        url = stack.settings.clickhouse.get_secret_value()
        with Database(ClickHouseAddress.parse(url)) as db:
            flow.play(stack)
            assert records(stack) > 10_000
            before = stored(db)
            stack.watch()
            assert "forgot what everybody has read" in said[-1]
            assert records(stack) == 0
            # Its positions lie behind what was forgotten: nothing there is asked for again.
            stack.stop_worker("score-1")
            stack.start_worker("score-1")
            flow.play(stack)
            assert stored(db) == before, "everything that comes again is known"
            found = audit(db, log=newest_log(db))
            assert (found.checked > 100, found.different) == (True, 0)


def test_nothing_is_forgotten_while_somebody_else_publishes(tmp_path: Path) -> None:
    said: list[str] = []
    settings = flow.settings_for(tmp_path)
    with Stack(
        settings, tmp_path / "up", fresh=True, most_broker_bytes=1, say=said.append
    ) as stack:
        player = Player(stack.settings, Play(speed=4_000.0))  # longer than is waited for
        player.start()
        stack.watch()
        player.stop()
        assert "cannot forget now: somebody publishes" in said[-1]
        assert records(stack) > 0


def stored(db: Database) -> tuple[int, int]:
    """Interactions that count, and undos."""
    rows = db.query("SELECT countIf(NOT undo), countIf(undo) FROM interactions")
    return int(rows[0][0]), int(rows[0][1])


def records(stack: Stack) -> int:
    """Records that can be read in the interaction topics."""
    tps = [
        TopicPartition(topic.value, partition)
        for topic in INTERACTION_TOPICS
        for partition in range(stack.settings.partitions)
    ]
    consumer = KafkaConsumer(bootstrap_servers=stack.settings.kafka, enable_auto_commit=False)
    try:
        consumer.assign(tps)
        consumer.seek_to_beginning(*tps)
        polled = (consumer.poll(300, max_records=50_000) for _ in range(10))
        return sum(len(batch) for found in polled for batch in found.values())
    finally:
        consumer.close()
