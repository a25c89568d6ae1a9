"""The commands that look at what is stored, on a small world in an embedded ClickHouse."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from renown.embedded.clickhouse import EmbeddedClickHouse
from schemas.dead_letter import DeadLetter
from schemas.kinds import POST
from schemas.topics import Topic
from streams.sinks.client import Database
from tests.support.command import Result, assert_one_line, renown
from tests.support.sink import fresh_database, scored, store, writer_of
from tests.support.weighed import Row, frame, numbered

ZOE, BOB = "twitter:zoe", "bluesky:bob"
WORLD = numbered(
    [
        Row(actor="twitter:ann", target=ZOE, kind=3),
        Row(actor=BOB, target=ZOE, kind=3, network=13),
        Row(actor=BOB, target="twitter:ann", kind=2),
    ]
)
POSTED = Row(actor=ZOE, target=ZOE, kind=POST, hour=990, source=-1)
POSTS = numbered([POSTED, POSTED, POSTED.undone])
LETTERS = [
    DeadLetter(
        reason="bad json",
        detail="truncated",
        topic="interactions.like",
        partition=2,
        offset=7,
        at=1_709_294_400_000,
        key=b"twitter:ann",
        value=b'{"kind": \x1b[31m\xff' + b"x" * 100,
        size=114,
    ),
    DeadLetter(
        reason="empty", topic="interactions.like", partition=0, offset=3, at=1_709_294_400_001
    ),
]

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def stored(embedded_clickhouse: EmbeddedClickHouse) -> Iterator[Database]:
    """A database with a few interactions, their scores and two dead letters."""
    frames = [frame(WORLD), frame(POSTS)]
    with fresh_database(embedded_clickhouse.address) as db:
        with closing(writer_of(db)) as writer:
            store(writer, Topic.WEIGHED, frames)
            store(writer, Topic.SCORES, scored(frames))
            store(writer, Topic.DEAD_LETTERS, LETTERS)
        yield db


def url_of(db: Database) -> str:
    address = db.address
    return f"clickhouse://{address.user}@{address.host}:{address.port}/{address.database}"


@pytest.fixture
def run(stored: Database, tmp_path: Path) -> Run:
    """``renown`` with that database."""
    return partial(renown, cwd=tmp_path, clickhouse=url_of(stored))


def test_migrate_applies_once(embedded_clickhouse: EmbeddedClickHouse, tmp_path: Path) -> None:
    with fresh_database(embedded_clickhouse.address) as db:
        name = f"{db.address.database}_new"
        url = url_of(db).replace(db.address.database, name)
        first = renown("migrate", "--json", cwd=tmp_path, clickhouse=url)
        again = renown("migrate", cwd=tmp_path, clickhouse=url)
        db.run(f"DROP DATABASE {name}")
    assert first.code == again.code == 0
    assert first.json["applied"][0] == "0001_tables.sql"
    assert len(first.json["applied"]) == first.json["known"]
    assert again.out.startswith("Nothing to do")


def test_commands_say_that_migrations_are_missing(
    embedded_clickhouse: EmbeddedClickHouse, tmp_path: Path
) -> None:
    with fresh_database(embedded_clickhouse.address) as db:
        db.run("TRUNCATE TABLE schema_migrations")
        for command in (["show", ZOE], ["audit"], ["dead-letters", "list"]):
            result = renown(*command, cwd=tmp_path, clickhouse=url_of(db))
            assert_one_line(result, 1, "0001_tables.sql", "run renown migrate")


def test_query_prints_columns(run: Run) -> None:
    result = run("query", "SELECT profile, score FROM leaderboard ORDER BY profile;")
    assert result.code == 0, result
    header, *rows = result.out.splitlines()
    assert header.split() == ["profile", "score"]
    assert [row.split()[0] for row in rows] == ["twitter:ann", ZOE]


def test_query_from_standard_input(run: Run) -> None:
    assert run("query", "-", stdin="SELECT 1 AS one\n").out == "one\n  1\n"


def test_query_as_json(run: Run) -> None:
    sql = "SELECT target, count() n, max(at) newest FROM interactions GROUP BY target ORDER BY n"
    lines = [json.loads(line) for line in run("query", "--json", sql).out.splitlines()]
    assert [(line["target"], line["n"]) for line in lines] == [("twitter:ann", 1), (ZOE, 2)]
    assert lines[0]["newest"] == "1970-02-11T16:00:00.017000Z"


def test_query_as_csv(run: Run) -> None:
    sql = "SELECT 'a,\"b' AS text, [1, 2] AS numbers, NULL AS nothing"
    table = list(csv.reader(io.StringIO(run("query", "--csv", sql).out)))
    assert table == [["text", "numbers", "nothing"], ['a,"b', "[1, 2]", ""]]


def test_query_shows_no_control_characters(run: Run) -> None:
    out = run("query", "SELECT '\\x1b[31mred\\n\\x07' AS x").out
    assert out.splitlines()[1] == r"\x1b[31mred\n\x07"


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO accounts (account) VALUES ('x')",
        "DROP TABLE interactions_rows",
        "TRUNCATE TABLE scores",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "SET readonly = 0",
    ],
)
def test_query_only_reads(run: Run, stored: Database, sql: str) -> None:
    result = run("query", sql)
    assert_one_line(result, 2)
    assert stored.query("SELECT count() FROM interactions_rows") == [(len(WORLD) + len(POSTS),)]


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("SELEC 1", "Syntax error"),
        ("SELECT nothing FROM leaderboard", "nothing"),
        ("SELECT * FROM no_such_table", "no_such_table"),
        ("SELECT 1; SELECT 2", "Multi-statements"),
        ("SELECT toInt32('x')", "Cannot parse"),
    ],
)
def test_mistakes_in_sql_are_wrong_use(run: Run, sql: str, part: str) -> None:
    assert_one_line(run("query", sql), 2, part)


def test_show_as_json(run: Run) -> None:
    facts = run("show", ZOE, "--json").json
    assert facts["account"] == ZOE
    assert (facts["rank"], facts["ranked"]) == (1, 2)
    assert facts["change_24h"] > 0
    assert [window["horizon"] for window in facts["windows"]] == [
        "6 h",
        "24 h",
        "7 d",
        "30 d",
        "90 d",
    ]
    assert [window["interactions"] for window in facts["windows"]] == [2] * 5
    assert [window["own posts"] for window in facts["windows"]] == [0, 1, 1, 1, 1]
    assert facts["received"] == {"retweet": 2}
    assert {row["network"]: row["share"] for row in facts["networks"]} == {
        "twitter": 0.5,
        "bluesky": 0.5,
    }
    assert {row["account"] for row in facts["engagers"]} == {"twitter:ann", BOB}


def test_show_tells_how_the_score_went(run: Run) -> None:
    facts = run("show", ZOE, "--json", "--days", "2").json
    history, (change,) = facts["history"], facts["changes"]
    assert history["updates"] == 1
    assert history["points"][-1]["score"] == history["max"] == facts["score"]
    assert len(history["points"]) == 1  # it got its score within the last slot
    assert (change["after"], change["cause"]) == (facts["score"], "interaction")
    assert run("show", ZOE, "--json", "--changes", "0").json["changes"] == []
    out = run("show", ZOE, "--days", "1").out
    assert "▄  last 24 h: " in out
    assert "Last changes" in out


def test_show_for_people(run: Run) -> None:
    out = run("show", ZOE, "--engagers", "1").out
    assert out.startswith(f"{ZOE}  score ")
    assert "received: 2 retweet" in out
    assert "50.0%" in out
    assert len([line for line in out.splitlines() if line.startswith(("twitter:ann", BOB))]) == 1


def test_show_of_an_account_without_a_score(run: Run) -> None:
    assert_one_line(run("show", "twitter:nobody"), 1, "twitter:nobody has no score")


def test_audit_agrees(run: Run) -> None:
    result = run("audit", "--json")
    assert result.code == 0
    assert (result.json["checked"], result.json["different"]) == (2, 0)
    assert run("audit", ZOE).out.startswith("1 accounts checked, 0 different")
    at = datetime(2024, 3, 1, tzinfo=UTC).isoformat()
    assert run("audit", "--at", at).out.startswith(f"2 accounts at {at}: ")


def test_audit_tells_a_wrong_score(embedded_clickhouse: EmbeddedClickHouse, tmp_path: Path) -> None:
    with fresh_database(embedded_clickhouse.address) as db:
        with closing(writer_of(db)) as writer:
            store(writer, Topic.WEIGHED, [frame(WORLD[1:], first=0)])
            store(writer, Topic.SCORES, scored([frame(WORLD)]))
        result = renown("audit", cwd=tmp_path, clickhouse=url_of(db))
    assert result.code == 1
    assert "2 accounts checked, 1 different" in result.out
    assert ZOE in result.out


def test_dead_letters_list(run: Run) -> None:
    letters = [json.loads(x) for x in run("dead-letters", "list", "--json").out.splitlines()]
    assert [letter["reason"] for letter in letters] == ["empty", "bad json"]
    assert letters[1]["value"].startswith('{"kind": \x1b[31m\\xff')
    out = run("dead-letters", "list", "--reason", "bad json").out
    header, *rows = out.splitlines()
    assert header.split()[:3] == ["at", "topic", "partition:offset"]
    assert len(rows) == 1
    assert "interactions.like 2:7" in rows[0]
    assert r"\x1b[31m\xff" in rows[0]
    assert rows[0].endswith("...")


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        (("--reason", "bad-json"), ["bad json"]),
        (("--topic", "interactions.like"), ["empty", "bad json"]),
        (("--topic", "posts"), []),
        (("--since", "2024-03-01T12:00:00.001Z"), ["empty"]),
        (("--limit", "1"), ["empty"]),
    ],
    ids=" ".join,
)
def test_dead_letters_of_one_kind(run: Run, options: tuple[str, str], reasons: list[str]) -> None:
    out = run("dead-letters", "list", "--json", *options).out
    assert [json.loads(line)["reason"] for line in out.splitlines()] == reasons


def test_dead_letters_summary(run: Run) -> None:
    lines = run("dead-letters", "list", "--summary", "--json").out.splitlines()
    (first, second) = (json.loads(line) for line in lines)
    assert (first["reason"], first["letters"], first["example"]) == ("bad json", 1, "truncated")
    assert (second["reason"], second["topic"]) == ("empty", "interactions.like")
    out = run("dead-letters", "list", "--summary").out
    assert out.splitlines()[0].split()[:3] == ["reason", "topic", "letters"]
    assert "1 of 2" in run("dead-letters", "list", "--limit", "1").err


def test_dead_letters_replay_counts_before_it_publishes(run: Run) -> None:
    counted = run("dead-letters", "replay", "--dry-run", "--json").json
    assert (counted["found"], counted["published"], counted["dry_run"]) == (2, 0, True)
    assert counted["topics"] == {"interactions.like": 2}
    out = run("dead-letters", "replay", "--dry-run", "--reason", "empty").out
    assert out.splitlines()[0] == "1 records can be published again (0 bytes)"


def test_dead_letters_list_when_there_are_none(run: Run) -> None:
    result = run("dead-letters", "list", "--reason", "unheard of")
    assert result.code == 0
    assert "There are none" in result.err


def test_doctor_is_content_and_hides_secrets(run: Run, stored: Database) -> None:
    url = url_of(stored).replace("default@", "default:s3cret@")
    result = run("doctor", clickhouse=url, kafka_password="s3cret")
    assert result.code == 0, result
    assert "s3cret" not in result.out + result.err
    assert "clickhouse://default:(hidden)@" in result.out
    assert "wrong" not in result.out
    checks = {x["subject"]: x for x in run("doctor", "--json").json["checks"]}
    assert checks["migrations"]["ok"]


def test_doctor_tells_what_is_wrong(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RENOWN_PARTITION=3\nRENOWN_LOG_FORMAT=json\n")
    result = run("doctor", "--json", clickhouse="clickhouse://127.0.0.1:1", emit_seconds="2")
    assert result.code == 3
    settings = {x["name"]: x for x in result.json["settings"]}
    assert settings["RENOWN_LOG_FORMAT"]["source"] == ".env"
    assert settings["RENOWN_EMIT_SECONDS"]["source"] == "environment"
    assert settings["RENOWN_PARTITIONS"]["source"] == "default"
    wrong = {x["subject"]: x["text"] for x in result.json["checks"] if not x["ok"]}
    assert "did you mean RENOWN_PARTITIONS" in wrong["settings"]
    assert "cannot reach ClickHouse" in wrong["ClickHouse"]


def test_version(tmp_path: Path) -> None:
    assert renown("--version", cwd=tmp_path).out.startswith("renown 0.")
