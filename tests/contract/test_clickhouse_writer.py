"""The writer loses nothing and shows nothing twice, whatever happens between its steps."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.settings import ClickHouseAddress
from renown.embedded.clickhouse import EmbeddedClickHouse
from renown.letters import Filter, newest_letters
from renown.queries import run_report
from schemas.dead_letter import DeadLetter
from schemas.frames import Frame
from schemas.topics import Topic
from streams.core.records import RecordColumns
from streams.sinks.client import Database, Row
from streams.sinks.errors import Unavailable
from streams.sinks.migrate import migrate
from streams.sinks.writer import Writer
from tests.support.sink import LOG, add, fresh_database, records, scored, store, writer_of
from tests.support.weighed import Row as Engagement
from tests.support.weighed import frame, numbered

ROWS = numbered([Engagement(actor=f"twitter:a{i}", target=f"twitter:t{i % 3}") for i in range(60)])
Opened = Callable[..., Writer]
SIX = [frame(ROWS[start : start + 10]) for start in range(0, 60, 10)]


@pytest.fixture
def db(clickhouse: str) -> Iterator[Database]:
    with fresh_database(clickhouse) as database:
        yield database


@pytest.fixture
def opened(db: Database) -> Iterator[Opened]:
    """Opens writers of the database, as many as a test likes."""
    writers: list[Writer] = []

    def open_writer(log: int = LOG) -> Writer:
        writers.append(writer_of(db, log))
        return writers[-1]

    yield open_writer
    for writer in writers:
        writer.close()


def offsets(db: Database, source: str = "all_interactions") -> list[int]:
    return [row[0] for row in db.query(f"SELECT source_offset FROM {source} ORDER BY ALL")]


def position(db: Database, topic: Topic = Topic.WEIGHED) -> int:
    sql = f"SELECT next_offset FROM sink_position WHERE topic = '{topic.value}'"
    return int(db.query(sql)[0][0])


def test_rows_arrive_as_they_were_weighed(db: Database, opened: Opened) -> None:
    rows = numbered(
        [
            Engagement(actor="twitter:ä", kind=0),
            Engagement(actor="bluesky:b", network=13, cls=6, kind=4, amount=3),
            Engagement(actor="bluesky:b", network=13, cls=6, kind=4, amount=3, undo=True),
        ]
    )
    store(opened(), Topic.WEIGHED, [frame(rows)])
    found = db.query(
        "SELECT log, toUnixTimestamp64Milli(at), hour, kind, network, actor, target, class, weight,"
        " amount, undo, sign, engager = xxHash64(actor), source_topic, source_partition,"
        " source_offset, weighed_partition, weighed_offset FROM all_interactions"
        " ORDER BY source_offset"
    )
    assert found == [
        (
            LOG, row.hour * 3_600_000 + 17, row.hour,
            ["like", "recommendation", "recommendation"][i],
            ["twitter", "bluesky", "bluesky"][i], row.actor, "twitter:zoe", row.cls, row.weight,
            row.amount, row.undo, -1 if row.undo else 1, 1, "interactions.like", 0, i, 0, 0,
        )
        for i, row in enumerate(rows)
    ]  # fmt: skip


def test_a_restart_goes_on_where_the_progress_is(db: Database, opened: Opened) -> None:
    first = opened()
    assert first.claim(Topic.WEIGHED, 0) == 0
    add(first, Topic.WEIGHED, 0, records(SIX[:2]))
    assert first.pending == 20
    assert first.flush() == {(Topic.WEIGHED, 0): 2}
    assert first.pending == 0
    add(first, Topic.WEIGHED, 0, records(SIX[2:3], 2))
    first.close()

    second = opened()
    assert second.claim(Topic.WEIGHED, 0) == 2
    add(second, Topic.WEIGHED, 0, records(SIX))
    assert second.flush() == {(Topic.WEIGHED, 0): 6}
    assert offsets(db, "interactions_rows") == list(range(60))


def test_killed_between_rows_and_progress(
    db: Database, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates = scored(SIX)
    letter = DeadLetter(reason="bad JSON", topic="interactions.like", partition=0, offset=9, at=1)
    batches: dict[Topic, list[object]] = {
        Topic.WEIGHED: [*SIX],
        Topic.SCORES: [*updates],
        Topic.DEAD_LETTERS: [letter],
    }

    def read_on(writer: Writer) -> None:
        for topic, values in batches.items():
            start = writer.claim(topic, 0)
            if rest := records(values[start:], start):  # type: ignore[arg-type]
                add(writer, topic, 0, rest)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    first = opened()
    read_on(first)
    with monkeypatch.context() as patch:
        patch.setattr(first, "_store_progress", killed)
        with pytest.raises(KeyboardInterrupt):
            first.flush()
    assert offsets(db) == list(range(60))
    assert position(db) == 0

    second = opened()
    second.claim(Topic.WEIGHED, 0)
    assert offsets(db, "interactions_rows") == []
    read_on(second)
    second.flush()
    report = run_report(db, LOG)
    assert offsets(db, "interactions_rows") == list(range(60))
    assert report.rows == {
        "interactions": 60,
        "scores": 3,
        "score_now": 3,
        "dead_letters": 1,
        "own_posts": 0,
        "leaderboard": 3,
    }
    assert db.query("SELECT count() FROM scores") == [(3,)]
    assert db.query("SELECT count() FROM dead_letters") == [(1,)]


def test_an_old_owner_that_still_writes_cannot_move_the_progress(
    db: Database, opened: Opened
) -> None:
    old, new = opened(), opened()
    old.claim(Topic.WEIGHED, 0)
    add(old, Topic.WEIGHED, 0, records(SIX))
    assert new.claim(Topic.WEIGHED, 0) == 0
    add(new, Topic.WEIGHED, 0, records(SIX[:1]))
    old.flush()
    new.flush()
    assert position(db) == 1
    # Whoever comes next reads on from there, and what the old owner stored is removed first.
    third = opened()
    assert third.claim(Topic.WEIGHED, 0) == 1
    assert offsets(db) == list(range(10))
    add(third, Topic.WEIGHED, 0, records(SIX))
    third.flush()
    assert offsets(db) == list(range(60))


def test_overlapping_frames_and_holes(db: Database, opened: Opened) -> None:
    writer = opened()
    sent = [
        frame(ROWS[0:20]),
        frame(ROWS[10:30]),
        frame(ROWS[40:50]),  # a hole
        frame(ROWS[5:15]),
        frame(ROWS[25:60]),
        frame(ROWS[0:60]),
    ]
    store(writer, Topic.WEIGHED, sent)
    assert offsets(db, "interactions_rows") == list(range(60))
    assert writer.holes == 1
    # Where a source stands is remembered, so what is sent again after a restart is known.
    store(opened(), Topic.WEIGHED, [frame(ROWS[30:60])])
    assert offsets(db, "interactions_rows") == list(range(60))


def test_rows_of_another_log_are_other_rows(db: Database, opened: Opened) -> None:
    store(opened(), Topic.WEIGHED, SIX)
    later = opened(LOG + 1)
    assert later.claim(Topic.WEIGHED, 0) == 0
    add(later, Topic.WEIGHED, 0, records(SIX))
    later.flush()
    assert db.query("SELECT log, count() FROM all_interactions GROUP BY log ORDER BY log") == [
        (LOG, 60),
        (LOG + 1, 60),
    ]


def test_empty_frames_move_the_progress(db: Database, opened: Opened) -> None:
    writer = opened()
    writer.claim(Topic.WEIGHED, 0)
    empty = frame([], source=0, first=0, last=99, clock=5)
    add(writer, Topic.WEIGHED, 0, records([empty]))
    assert writer.pending == 0
    assert writer.flush() == {(Topic.WEIGHED, 0): 1}
    assert writer.flush() == {}


def test_gaps_in_the_offsets_are_part_of_the_progress(db: Database, opened: Opened) -> None:
    writer = opened()
    writer.claim(Topic.WEIGHED, 0)
    writer.add(Topic.WEIGHED, 0, RecordColumns.of(records(SIX[:1], start=4)), last=7)
    writer.add(Topic.WEIGHED, 0, RecordColumns.of([]), last=9)
    assert writer.flush() == {(Topic.WEIGHED, 0): 10}


def test_a_released_partition_is_dropped(db: Database, opened: Opened) -> None:
    writer = opened()
    for partition in (0, 1):
        writer.claim(Topic.WEIGHED, partition)
        add(writer, Topic.WEIGHED, partition, records(SIX[:1]))
    writer.release(Topic.WEIGHED, 0)
    assert writer.pending == 10
    assert writer.flush() == {(Topic.WEIGHED, 1): 1}
    assert writer.claim(Topic.WEIGHED, 0) == 0


def test_what_cannot_be_read_becomes_a_dead_letter_once(db: Database, opened: Opened) -> None:
    bad: list[bytes | Frame] = [b"\x00\xff noise", SIX[0], SIX[1].encode()[:300]]
    for _ in range(2):
        writer = opened()
        writer.claim(Topic.WEIGHED, 0)
        add(writer, Topic.WEIGHED, 0, records(bad))
        writer.claim(Topic.SCORES, 0)
        add(writer, Topic.SCORES, 0, records([b"{}"]))
        writer.flush()
        db.run("ALTER TABLE sink_progress DELETE WHERE 1 SETTINGS mutations_sync = 2")
    assert writer.unreadable == 3
    letters = newest_letters(db, Filter(), 10)
    assert sorted((found.topic, found.offset, found.reason) for found in letters) == [
        ("scores", 0, "unreadable scores"),
        ("weighed", 0, "unreadable weighed"),
        ("weighed", 2, "unreadable weighed"),
    ]
    assert b"\x00\xff noise" in {found.value for found in letters}
    assert offsets(db) == list(range(10))


def test_tombstones_of_scores_are_passed_over(db: Database, opened: Opened) -> None:
    writer = opened()
    writer.claim(Topic.SCORES, 0)
    tombstone = records([b""])[0]._replace(value=None)
    add(writer, Topic.SCORES, 0, [tombstone])
    assert (writer.pending, writer.unreadable) == (0, 0)
    assert writer.flush() == {(Topic.SCORES, 0): 1}


def test_dead_letters_come_once_and_can_be_listed(db: Database, opened: Opened) -> None:
    letters = [
        DeadLetter(
            reason=reason,
            detail="it says …",
            topic="interactions.like",
            partition=1,
            offset=offset,
            at=1_700_000_000_000 + offset,
            key=b"twitter:ann",
            value=b"\xfe\x00\xff",
            size=3,
            headers=(("trace", b"\x01"),),
        )
        for offset, reason in ((5, "bad JSON"), (6, "unknown kind"), (5, "bad JSON"))
    ]
    store(opened(), Topic.DEAD_LETTERS, letters)
    found = newest_letters(db, Filter(), 10)
    assert [(each.offset, each.reason) for each in found] == [(6, "unknown kind"), (5, "bad JSON")]
    assert (found[1].key, found[1].value) == (b"twitter:ann", b"\xfe\x00\xff")
    assert found[1].headers == (("trace", b"\x01"),)
    assert [each.offset for each in newest_letters(db, Filter("bad-JSON"), 10)] == [5]
    assert len(newest_letters(db, Filter(), 1)) == 1
    assert run_report(db, LOG).dead == {"bad JSON": 1, "unknown kind": 1}


def test_totals_are_those_of_the_newest_frame_of_each_source(db: Database, opened: Opened) -> None:
    def with_totals(each: Frame, **totals: int) -> Frame:
        return Frame(replace(each.header, totals=totals), each.columns)

    writer = opened()
    for partition, sent in enumerate(
        (
            [with_totals(SIX[0], accepted=10, dead=1), with_totals(SIX[1], accepted=20, dead=2)],
            [with_totals(SIX[0], accepted=10, dead=1)],
        )
    ):
        writer.claim(Topic.WEIGHED, partition)
        add(writer, Topic.WEIGHED, partition, records(sent))
    other = frame(numbered([Engagement(source=8)]))
    add(writer, Topic.WEIGHED, 1, records([with_totals(other, accepted=1, heartbeat=7)], 1))
    writer.flush()
    report = run_report(db, LOG)
    assert (report.totals["accepted"], report.totals["dead"], report.totals["late"]) == (21, 2, 0)
    assert report.totals["heartbeat"] == 7
    assert report.accepted == {
        "like": 20,
        "mention": 0,
        "comment": 0,
        "retweet": 1,
        "recommendation": 0,
    }


def test_the_server_goes_away_and_comes_back(tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path) as server:
        address = ClickHouseAddress.parse(server.address)
        with Database(address) as db:
            migrate(db)
        writer = Writer(address, LOG)
        writer.open()
        writer.claim(Topic.WEIGHED, 0)
        add(writer, Topic.WEIGHED, 0, records(SIX[:3]))
        writer.flush()
    add(writer, Topic.WEIGHED, 0, records(SIX[3:], 3))
    for _ in range(2):
        with pytest.raises(Unavailable, match="cannot reach ClickHouse"):
            writer.flush()
        with pytest.raises(Unavailable, match="cannot reach ClickHouse"):
            writer.claim(Topic.SCORES, 0)
    assert writer.pending == 30
    with EmbeddedClickHouse(tmp_path, port=address.port):
        assert writer.flush() == {(Topic.WEIGHED, 0): 6}
        with Database(address) as db:
            assert offsets(db) == list(range(60))
        writer.close()


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_failures_ends_in_the_same_rows(
    db: Database, opened: Opened, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = random.Random(seed)
    start = 0
    for _ in range(8):
        writer = opened()
        start = writer.claim(Topic.WEIGHED, 0)
        for _ in range(rng.randrange(3)):
            if some := SIX[start : start + 1]:
                add(writer, Topic.WEIGHED, 0, records(some, start))
                start += 1
            with monkeypatch.context() as patch:
                failing = rng.choice(["insert", "_store_progress", "nothing"])
                if failing != "nothing":
                    patch.setattr(writer._db if failing == "insert" else writer, failing, _away)
                with suppress(Unavailable):
                    writer.flush()
    writer = opened()
    start = writer.claim(Topic.WEIGHED, 0)
    assert offsets(db) == list(range(10 * start))
    if start < len(SIX):
        add(writer, Topic.WEIGHED, 0, records(SIX[start:], start))
        writer.flush()
    assert offsets(db, "interactions_rows") == list(range(60))


def _away(*_: object) -> list[Row]:
    raise Unavailable("away")
