"""A made-up world through everything: what is stored is what the world itself counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.broker import log_incarnation
from config.settings import ClickHouseAddress
from renown.audit import audit
from renown.queries import run_report
from renown.run.once import Completion
from renown.run.stack import Stack
from streams.sinks.client import Database
from tests.support import flow
from tests.support.command import renown

pytestmark = pytest.mark.timeout(300)

EVENTS = 20_000


def test_the_pipeline_counts_what_the_world_counted(tmp_path: Path) -> None:
    settings = flow.settings_for(tmp_path).model_copy(update={"once": True})
    with Stack(settings, tmp_path / "up", fresh=True, say=flow.say) as stack:
        # About three hours of a day that stays the same: what comes of it lies within.
        begin = ("--start", "2025-03-01T12:00:00Z", "--rate", "2", "--seed", "5")
        sent = generate(stack, *begin, "--dirt", "0.01")
        completion = Completion(stack.settings)
        try:
            completion.wait(lambda: False, lambda _behind: stack.watch())
        finally:
            completion.close()
        url = stack.settings.clickhouse.get_secret_value()
        with Database(ClickHouseAddress.parse(url)) as db:
            log = log_incarnation(stack.settings)
            stored, audited = run_report(db, log), audit(db, log=log)
            live = db.query("SELECT sum(sign) FROM interactions")[0][0]
            posted, deleted = db.query("SELECT countIf(NOT undo), countIf(undo) FROM own_posts")[0]
            both = "SELECT uniqExact(author) FROM own_posts WHERE author IN"
            scored = db.query(f"{both} (SELECT profile FROM score_now WHERE score > 1000)")[0][0]
    assert sent["events"] == EVENTS
    assert stored.accepted == sent["accepted"]
    assert stored.totals["accepted"] == sum(sent["accepted"].values()) > 15_000
    assert stored.totals["duplicate"] == sent["duplicates"] > 0
    assert stored.totals["undone"] == sent["undone"] > 0
    assert stored.totals["unmatched"] == sent["unmatched"] > 0
    assert stored.totals["late"] == sent["late"] > 0
    assert stored.totals["dead"] == sum(sent["dead"].values()) > 100
    assert stored.rows["dead_letters"] == stored.totals["dead"]
    assert stored.totals["self"] == 0
    assert posted + deleted == stored.rows["own_posts"] == sent["posts"] > 300
    assert deleted > 0 < scored
    # What was refused because its undo came first was never there to be taken away.
    taken_back = stored.totals["accepted"] - live
    assert 0 < taken_back <= sent["undone"]
    assert stored.accounts_above_1 > 3_000
    assert (audited.different, audited.unscored) == (0, 0)
    assert audited.checked == stored.accounts_scored


def generate(stack: Stack, *options: str) -> Any:
    """The command beside the stack, as fast as it goes; its report."""
    done = renown(
        *("generate", "--events", str(EVENTS), "--speed", "max", "--json", *options),
        cwd=stack.folder,
        kafka=stack.settings.kafka,
        data_dir=str(stack.folder),
    )
    assert done.code == 0, done
    (status,) = (stack.folder / "agents").glob("*.json")
    assert json.loads(status.read_bytes())["state"] == "stopped"
    return done.json
