"""Bluesky from the socket to ClickHouse, with an agent that is killed on the way."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agents.status import STATUS_FOLDER, AgentStatus, read_statuses
from config.settings import ClickHouseAddress
from renown.audit import audit
from renown.run.stack import Stack
from schemas.hashing import hash64
from schemas.kinds import Kind
from streams.sinks.client import Database
from tests.support import bluesky as sky
from tests.support import flow
from tests.support.bluesky_stream import Stream, stream
from tests.support.jetstream import FakeJetstream
from tests.support.stack import wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

Rows = Counter[tuple[bool, str, int, str, str, int]]
"""Undo or not, kind, hash of the id, actor, target, event time in ms."""


@contextmanager
def agent(stack: Stack, folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """``renown agent bluesky`` as a process of its own; killed at the end if it still runs."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RENOWN_")}
    environment |= {"RENOWN_KAFKA": stack.settings.kafka, "RENOWN_DATA_DIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-m", "renown", "agent", "bluesky", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        out, err = process.communicate(timeout=20)
        flow.say(f"agent said: {out} {err}")


def status_of(folder: Path) -> AgentStatus:
    found = read_statuses(folder / STATUS_FOLDER)
    return found[0] if found else AgentStatus(name="none")


def expected_rows(world: Stream) -> Rows:
    rows: Rows = Counter()
    for each in world.expected:
        for undo in (False, True)[: 1 + each.undone]:
            row = (undo, each.kind.value, hash64(each.id), each.actor, each.target, each.at)
            rows[row] += 1
    return rows


def stored_rows(db: Database) -> Rows:
    return Counter(
        (bool(undo), kind, id, actor, target, at)
        for undo, kind, id, actor, target, at in db.query(
            "SELECT undo, kind, id, actor, target, toUnixTimestamp64Milli(at) FROM interactions"
            " WHERE network = 'bluesky'"
        )
    )


def test_a_killed_agent_loses_and_doubles_nothing(tmp_path: Path) -> None:
    start = time.time_ns() // 1000 - 60_000_000
    world = stream(2000, start)
    half = world.messages[1000][0]
    folder = tmp_path / "agent"
    server = FakeJetstream(world.messages, twice_every=11, close_after=700, pause=0.002)
    with (
        server,
        Stack(flow.settings_for(tmp_path), tmp_path / "up", fresh=True, say=flow.say) as stack,
        Database(ClickHouseAddress.parse(stack.settings.clickhouse.get_secret_value())) as db,
    ):
        options = ("--url", server.url)
        beginning = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start / 1e6))
        with agent(stack, folder, *options, "--from", beginning) as first:
            wait_until(lambda: int(status_of(folder).cursor or 0) > half, 60, "half of it")
            first.send_signal(signal.SIGKILL)
            first.wait(10)
        assert status_of(folder).state == "running", "it had no time to say that it ends"
        server.pause = 0.0
        nobody = sky.like("noor", "at://nobody.example/app.bsky.feed.post/3k", time_us=server_now())
        server.add((server_now(), nobody))
        with agent(stack, folder, *options) as second:
            wait_until(lambda: stored_rows(db) == expected_rows(world), 90, "every row, once")
            wait_until(lambda: dead_letters(db), 30, "what nobody is known for")
            second.send_signal(signal.SIGTERM)
            assert second.wait(30) == 0
        status = status_of(folder)
        assert (status.state, status.rejected) == ("stopped", {"unresolved target": 1})
        assert server.cursors[-1] is not None
        ((reason, topic, why),) = dead_letters(db)
        assert (reason, topic) == ("no target", "interactions.like")
        assert why.startswith("unresolved target: nobody is known as the owner of")

        lived = Counter((one.kind, one.target) for one in world.expected if not one.undone)
        counted = db.query("SELECT kind, target, sum(sign) FROM interactions GROUP BY kind, target")
        assert {(Kind(k), t): n for k, t, n in counted if n} == dict(lived)
        objects = db.query("SELECT DISTINCT id, object FROM interactions WHERE NOT undo")
        assert dict(objects) == {hash64(one.id): one.object or "" for one in world.expected}
        wait_until(lambda: audit(db).unscored == 0, 30, "a score for everybody")
        report = audit(db)
    assert report.checked >= len({one.target for one in world.expected})
    assert report.different == 0, report.examples


def server_now() -> int:
    return time.time_ns() // 1000


def dead_letters(db: Database) -> list[tuple[str, str, str]]:
    found = db.query("SELECT reason, source_topic, headers FROM dead_letters FINAL")
    return [(str(r), str(t), str(dict(h)["renown-reason"])) for r, t, h in found]
