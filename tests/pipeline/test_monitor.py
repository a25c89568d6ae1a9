"""The monitor on a running stack: canaries arrive and leave no trace; lag is seen from outside."""

from pathlib import Path

import pytest

from config.settings import ClickHouseAddress
from renown.folders import TARGETS_FILE
from renown.monitor.canary import PREFIX, accounts
from renown.run.options import Play
from renown.run.player import Player
from renown.run.stack import Stack
from schemas.partitioner import partition_of
from streams.sinks.client import Database
from tests.support import flow
from tests.support.scraping import scrape
from tests.support.stack import wait_until

pytestmark = pytest.mark.timeout(300)


def test_a_canary_arrives_and_leaves_no_trace(tmp_path: Path) -> None:
    folder = tmp_path / "up"
    settings = flow.settings_for(tmp_path)
    with Stack(settings, folder, fresh=True, monitor=True, say=flow.say) as stack:
        url = stack.settings.clickhouse.get_secret_value()
        with Database(ClickHouseAddress.parse(url)) as db:
            wait_until(lambda: scrape(folder, "monitor").get("renown_broker_up"), 60, "the broker")
            assert scrape(folder, "monitor")["renown_canary_seconds_count"] == 0, (
                "before the first event there is no event time to fly at"
            )
            player = Player(stack.settings, Play())
            player.start()
            wait_until(
                lambda: scrape(folder, "monitor").get("renown_canary_seconds_count", 0) >= 2,
                90,
                "two canaries",
            )
            player.stop()
            reached = db.query(
                "SELECT max(clock) FROM source_totals WHERE source_topic LIKE '%.comment'"
            )
            flown = db.query(
                "SELECT max(at), sum(sign) FROM interactions WHERE startsWith(actor, %(p)s)"
                " AND id IN (SELECT id FROM interactions WHERE undo)",
                {"p": PREFIX},
            )
            assert flown[0][0] <= reached[0][0], "a canary moves no clock"
            assert flown[0][1] == 0
            wait_until(lambda: _traces(db) == [], 30, "canaries are taken back from the scores")
        told = scrape(folder, "monitor")
    assert told["renown_clickhouse_up"] == 1
    assert told["renown_canary_lost_total"] == 0
    assert told["renown_canary_last_seconds"] > 0
    assert "renown_group_lag renown-sink weighed" in told


def _traces(db: Database) -> list[tuple[str, int]]:
    """Canaries' targets that still have a score above the lowest."""
    found = db.query(
        "SELECT profile, score FROM score_now WHERE startsWith(profile, %(p)s) AND score > 1000",
        {"p": PREFIX},
    )
    return [(str(profile), int(score)) for profile, score in found]


def test_the_stack_tells_the_memory_of_its_processes(tmp_path: Path) -> None:
    folder = tmp_path / "up"
    with Stack(flow.settings_for(tmp_path), folder, fresh=True, say=flow.say):
        told = scrape(folder, "up")
    held = {name.split()[1] for name in told if name.startswith("renown_process_resident_bytes")}
    assert held == {"up", "broker", "clickhouse", "score-1", "sink"}
    assert not (folder / TARGETS_FILE).exists(), "nothing runs any more"


def test_there_is_an_account_of_canaries_for_each_partition() -> None:
    for partitions in (1, 4, 16):
        found = list(accounts(partitions))
        assert [partition_of(account, partitions) for account in found] == list(range(partitions))
