"""A stack that does not end: what a restart of its workers must not do."""

import time
from pathlib import Path

import pytest

from config.settings import ClickHouseAddress
from renown.run.stack import Stack
from streams.sinks.client import Database
from tests.support import flow
from tests.support.stack import wait_until

pytestmark = pytest.mark.timeout(400)

IDLE_SECONDS = 13.0
"""Longer than sources may be silent before the clock goes on without them."""


@pytest.mark.acceptance
def test_a_restart_repeats_no_update_and_turns_no_clock_back(tmp_path: Path) -> None:
    settings = flow.settings_for(tmp_path)
    with Stack(settings, tmp_path / "live", fresh=True, say=flow.say) as stack:
        url = stack.settings.clickhouse.get_secret_value()
        with Database(ClickHouseAddress.parse(url)) as db:
            flow.play(stack)
            time.sleep(IDLE_SECONDS)
            before = history(db)
            assert before[0] > 1_000
            for name in ("score-1", "sink"):
                stack.stop_worker(name)
                stack.start_worker(name)
            # An undisturbed source of news: the flow goes on after the restart, and only once.
            flow.play(stack)
            after = history(db)
    assert after == before, "rows of updates, and the newest clock of each account"


def history(db: Database) -> tuple[int, int]:
    """Updates stored, and a hash of each account's newest score and clock."""
    rows = db.query(
        "SELECT count(), sum(cityHash64(profile, score, toUnixTimestamp64Milli(clock)))"
        " FROM (SELECT * FROM scores FINAL)"
    )
    return int(rows[0][0]), int(rows[0][1])


def test_two_sinks_share_the_work_and_one_leaves(tmp_path: Path) -> None:
    settings = flow.settings_for(tmp_path)
    with Stack(settings, tmp_path / "live", fresh=True, say=flow.say) as stack:
        url = stack.settings.clickhouse.get_secret_value()
        stack.start_worker("sink-2")
        with Database(ClickHouseAddress.parse(url)) as db:
            flow.play(stack)
            wait_until(lambda: rows_stored(db) > 14_000, 60, "rows of both sinks")
            stored = rows_stored(db)
            stack.stop_worker("sink")
            flow.play(stack)
            assert rows_stored(db) == stored, "the second pass holds only what is known"
            everything = "SELECT count() FROM interactions_rows"
            assert db.query(everything)[0][0] == stored, "not even below the view is a row doubled"


def rows_stored(db: Database) -> int:
    return int(db.query("SELECT count() FROM interactions")[0][0])
