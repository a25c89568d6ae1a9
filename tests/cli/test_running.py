"""Commands on what ``renown up`` runs, one stack for all of them, and on what it left."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from config.settings import ClickHouseAddress
from renown.letters import Filter, count_letters, newest_letters, summarize, waiting_letters
from schemas.topics import Topic
from streams.sinks.client import Database
from tests.cli.conftest import LIKE
from tests.support.command import Result, assert_one_line, renown
from tests.support.stack import read_topic, wait_until

START_SECONDS = 90.0
FLOW_SECONDS = 60.0
TARGET = "twitter:7100"
BROKEN = b'{"kind":"like",'

Run = Callable[..., Result]
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("running")]


class Up(NamedTuple):
    """A running ``renown up`` and its folder."""

    process: "subprocess.Popen[bytes]"
    folder: Path

    def end(self) -> int:
        """Stop it as an operator does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """``renown up`` that has stored three likes and a broken line."""
    folder = tmp_path_factory.mktemp("running")
    (folder / "likes.jsonl").write_text(
        "".join(LIKE % (n, n) for n in range(3)) + BROKEN.decode() + "\n"
    )
    command = [sys.executable, "-m", "renown", "up", "--kafka-port", "0", "--clickhouse-port", "0"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RENOWN_")}
    log = folder / "up.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, "--no-monitor"], cwd=folder, env=environment, stderr=file
        )
    started = Up(process, folder)
    try:

        def ready() -> bool:
            assert process.poll() is None, log.read_text()
            return "Ready" in log.read_text()

        wait_until(ready, START_SECONDS, "up says that it is ready")
        assert renown("replay", "likes.jsonl", cwd=folder).code == 0
        with database_of(folder) as db:
            sql = "SELECT (SELECT count() FROM score_now) > 0 AND count() > 0 FROM dead_letters"
            wait_until(lambda: db.query(sql)[0][0], FLOW_SECONDS, "score and letter are stored")
        yield started
    finally:
        started.end()


@pytest.fixture
def folder(up: Up) -> Path:
    """Where it runs."""
    return up.folder


@pytest.fixture
def run(folder: Path) -> Run:
    """``renown`` in that folder."""
    return partial(renown, cwd=folder)


def stack_of(folder: Path) -> dict[str, str]:
    content: dict[str, str] = json.loads((folder / ".data" / "stack.json").read_bytes())
    return content


def database_of(folder: Path) -> Database:
    return Database(ClickHouseAddress.parse(stack_of(folder)["clickhouse"]))


def test_top_as_json(run: Run) -> None:
    shown = run("top", "--once", "--json", "--interval", "0.5").json
    stages = {stage["stage"]: stage for stage in shown["stages"]}
    assert list(stages) == ["published", "weighed", "scored", "updates", "stored"]
    assert stages["published"]["total"] > 4
    assert stages["stored"]["total"] == 3
    assert stages["published"]["events_per_second"] is not None
    assert shown["event_time"] == "2024-03-01T12:00:00Z"
    assert shown["behind_seconds"] > 1e6
    (change,) = [one for one in shown["changes"] if one["account"] == TARGET][-1:]
    assert change["after"] > change["before"] >= 1.0
    assert shown["leaders"][0]["account"] == TARGET
    processes = {one["process"]: one for one in shown["processes"]}
    assert processes["score-1"]["answers"]
    assert processes["sink"]["answers"]
    assert processes["score-1"]["memory"] > 10_000_000
    assert shown["dead_last_minute"] is not None
    assert shown["trouble"] == {}


def test_top_shows_that_clickhouse_is_away_and_a_process_dead(
    folder: Path, closed_port: int, tmp_path: Path
) -> None:
    target = {"targets": [f"127.0.0.1:{closed_port}"], "labels": {"job": "j", "process": "dead-1"}}
    (tmp_path / "targets.json").write_text(json.dumps([target]))
    result = renown(
        *("top", "--once", "--json", "--interval", "0.5"),
        cwd=tmp_path,
        kafka=stack_of(folder)["kafka"],
        clickhouse=f"clickhouse://127.0.0.1:{closed_port}",
        data_dir=str(tmp_path),
    )
    assert result.code == 0, result
    shown = result.json
    assert "cannot reach ClickHouse" in shown["trouble"]["clickhouse"]
    assert shown["leaders"] == []
    assert shown["changes"][0]["account"] == TARGET
    assert shown["event_time"] == "2024-03-01T12:00:00Z"
    (dead,) = shown["processes"]
    assert (dead["process"], dead["answers"]) == ("dead-1", False)


def test_top_on_a_terminal_ends_with_q(folder: Path) -> None:
    screen, inside = pty.openpty()
    termios.tcsetwinsize(inside, (30, 80))
    before = termios.tcgetattr(inside)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RENOWN_")}
    environment |= {"TERM": "xterm-256color"}
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        environment.pop(name, None)
    top = subprocess.Popen(
        [sys.executable, "-m", "renown", "top", "--interval", "0.5"],
        cwd=folder,
        env=environment,
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    try:
        drawn = _read_until(screen, b"leaderboard", 30)
        os.write(screen, b"q")
        drawn += _read_until(screen, b"\x1b[?1049l", 10)
        assert top.wait(10) == 0
    finally:
        top.kill()
        top.wait()
    after = termios.tcgetattr(inside)
    os.close(inside)
    os.close(screen)
    assert TARGET.encode() in drawn
    assert after[3] == before[3], "the terminal is as it was"
    lines = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", drawn).split(b"\r\n")
    assert max(len(line.decode(errors="replace").rstrip()) for line in lines) <= 80


def _read_until(screen: int, wanted: bytes, seconds: float) -> bytes:
    seen, deadline = b"", time.monotonic() + seconds
    while wanted not in seen:
        ready, _, _ = select.select([screen], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{wanted!r} did not appear in {seen[-2000:]!r}"
        seen += os.read(screen, 65_536)
    return seen


def test_dead_letters_are_replayed_once_unless_they_die_again(run: Run, folder: Path) -> None:
    kafka = stack_of(folder)["kafka"]
    counted = run("dead-letters", "replay", "--dry-run", "--json").json
    assert (counted["found"], counted["published"]) == (1, 0)
    first = run("dead-letters", "replay", "--yes", "--json").json
    assert (first["published"], first["reasons"]) == (1, {"bad json": 1})

    with database_of(folder) as db:
        wait_until(lambda: count_letters(db, Filter()) == 2, FLOW_SECONDS, "it dies again")
        letters = newest_letters(db, Filter(), 10)
        waiting = [list(waiting_letters(db, Filter(), again=again)) for again in (False, True)]
        (summary,) = summarize(db, Filter())
    assert sorted(letter.replays for letter in letters) == [0, 1]
    assert [[letter.replays for letter in each] for each in waiting] == [[1], [0, 1]]
    assert (summary.letters, summary.replayed) == (2, 1)
    records = [record for record in read_topic(kafka, Topic.LIKE.value) if record.value == BROKEN]
    headers = [dict(record.headers) for record in records]
    assert [each.get("renown-replayed") for each in headers] == [None, b"1"]
    assert headers[1]["renown-source"] == headers[0]["renown-source"] == b"likes.jsonl line 4"
    assert records[1].key == records[0].key
    again = run("dead-letters", "replay", "--dry-run", "--json").json
    assert (again["found"], again["replayed_before"]) == (1, 1)


def test_replay_says_beforehand_that_events_are_late(run: Run, folder: Path) -> None:
    old = (LIKE % (9, 9)).replace('"at":1709294400000', '"at":1609294400000')
    (folder / "old.jsonl").write_text(old)
    result = run("replay", "old.jsonl", "--json")
    assert (result.code, result.json["published"]) == (0, {"like": 1})
    assert "begins at 2020-12-30 02:13:20 UTC" in result.err
    assert "before 2023-12-02 12:00:00 are late" in result.err
    assert run("replay", "likes.jsonl", "--json").err == ""


def test_doctor_and_agents(run: Run) -> None:
    checks = run("doctor", "--json").json["checks"]
    assert {"Kafka", "topics", "ClickHouse", "migrations"} <= {x["subject"] for x in checks}
    assert all(check["ok"] for check in checks), checks
    (records,) = [check["text"] for check in checks if check["subject"] == "records"]
    assert "3 accepted" in records
    states = [json.loads(line)["agent"] for line in run("agents", "--json").out.splitlines()]
    assert states == ["bluesky", "generate", "replay"]


def test_what_it_stored_stays_when_it_ends(up: Up, run: Run) -> None:
    stack = up.folder / ".data" / "stack.json"
    assert stack.stat().st_mode & 0o777 == 0o600
    assert up.end() == 130
    assert not stack.exists()
    left = run("show", TARGET, "--json")
    assert left.json["received"] == {"like": 3}
    assert left.err.startswith("Nothing is running; reading what is stored in ")
    assert_one_line(run("top", "--once"), 3, "no broker is running", "renown up")
