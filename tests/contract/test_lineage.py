"""What people query counts over the newest chain of logs, and over nothing else."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from renown.audit import audit, scores_at
from renown.queries import engagers_of, received_by_kind, run_report, score_of
from schemas.frames import Frame
from schemas.score import ScoreUpdate
from schemas.topics import Topic
from streams.core.score import ScorePartition
from streams.sinks.client import Database
from streams.sinks.lineage import chain_of, newest_log, store_lineage
from tests.support.sink import fresh_database, store, writer_of
from tests.support.weighed import HOUR, MODEL, Row, frame, numbered

ANN, BOB, ZOE = "twitter:ann", "twitter:bob", "twitter:zoe"
STRAY, FIRST, SECOND, THIRD = 10, 20, 30, 40


def put(db: Database, log: int, frames: list[Frame], updates: list[ScoreUpdate]) -> None:
    writer = writer_of(db, log)
    store(writer, Topic.WEIGHED, frames)
    if updates:
        store(writer, Topic.SCORES, updates)
    writer.close()


def rows(*actors: str, hour: int) -> Frame:
    return frame(numbered(Row(actor=actor, hour=hour) for actor in actors), clock=hour * HOUR)


@pytest.fixture(scope="module")
def db(clickhouse: str) -> Iterator[Database]:
    """A run that nobody went on with, and a chain of three logs, the second without rows."""
    with fresh_database(clickhouse) as database:
        state = ScorePartition(0, MODEL, once=True)
        state.epoch = 1
        early, late = rows(ANN, BOB, hour=1000), rows(ANN, hour=1030)
        state.apply(early, 0, 0.0)
        before = list(state.updates(0.0, everything=True))
        put(database, STRAY, [rows(BOB, BOB, BOB, hour=1000)], [replace(before[0], score=9_000)])
        put(database, FIRST, [early], before)
        store_lineage(database, SECOND, FIRST)
        store_lineage(database, THIRD, SECOND)
        # the same account goes on in another log, where positions begin anew
        state.applied.clear()
        state.position, state.sequence = -1, 0
        state.apply(late, 0, 9.0)
        put(database, THIRD, [late], list(state.updates(9.0, everything=True)))
        yield database


def test_the_chain_is_what_the_newest_log_continues(db: Database) -> None:
    assert newest_log(db) == THIRD
    assert chain_of(db, THIRD) == [FIRST, SECOND, THIRD]
    assert chain_of(db, FIRST) == [FIRST]
    assert chain_of(db, STRAY) == [STRAY]
    assert db.query("SELECT log FROM log_chain ORDER BY log") == [(FIRST,), (SECOND,), (THIRD,)]


def test_views_add_over_the_chain_only(db: Database) -> None:
    assert db.query("SELECT count() FROM interactions") == [(3,)]
    assert db.query("SELECT count() FROM all_interactions") == [(6,)]
    assert [(e.account, e.interactions) for e in engagers_of(db, ZOE)] == [(ANN, 2), (BOB, 1)]
    assert received_by_kind(db, ZOE) == {"retweet": 3}
    score = score_of(db, ZOE)
    assert score is not None
    assert (score.interactions[-1], score.engagers[-1], score.ranked) == (3, 2, 1)
    history = db.query(
        "SELECT toUnixTimestamp(clock) / 3600, points, change_points FROM score_history ORDER BY 1"
    )
    (hour, points_before, _), (now, points, change) = history
    assert (hour, now, change) == (1000, 1030, round(points - points_before, 3))
    assert db.query("SELECT points, points_before FROM movers") == [(points, points_before)]


def test_the_audit_recomputes_from_the_whole_chain(db: Database) -> None:
    report = audit(db)
    assert (report.log, report.checked, report.different, report.unscored) == (THIRD, 1, 0, 0)
    assert db.query("SELECT * FROM audit_differences") == []
    assert db.query("SELECT log, account FROM audit_points") == [(THIRD, ZOE)]
    assert (audit(db, log=FIRST).checked, audit(db, log=FIRST).different) == (1, 0)
    assert audit(db, log=STRAY).different == 1
    assert scores_at(db, 1031 * HOUR) == {ZOE: report.score_sum}
    assert scores_at(db, 1001 * HOUR) == scores_at(db, 1001 * HOUR, log=FIRST)


def test_a_row_that_is_missing_in_an_earlier_log_is_found(clickhouse: str) -> None:
    with fresh_database(clickhouse) as db:
        state = ScorePartition(0, MODEL, once=True)
        early, late = rows(ANN, BOB, hour=1000), rows("twitter:cid", hour=1001)
        state.apply(early, 0, 0.0)
        put(db, FIRST, [early], [])
        store_lineage(db, SECOND, FIRST)
        state.applied.clear()
        state.position = -1
        state.apply(late, 0, 9.0)
        put(db, SECOND, [late], list(state.updates(9.0, everything=True)))
        assert audit(db).different == 0
        db.run(
            f"ALTER TABLE interactions_rows DELETE WHERE actor = '{BOB}'"
            " SETTINGS mutations_sync = 2"
        )
        (example,) = audit(db).examples
        assert (example.account, example.fields["interactions"][0][-1]) == (ZOE, 3)


def test_the_figures_of_a_run_are_those_of_its_chain(db: Database) -> None:
    report = run_report(db, THIRD)
    assert report.rows == {
        "interactions": 3,
        "own_posts": 0,
        "scores": 2,
        "score_now": 1,
        "dead_letters": 0,
        "leaderboard": 1,
    }
    assert run_report(db, FIRST).rows["interactions"] == 2
    assert run_report(db, STRAY).rows["interactions"] == 3
