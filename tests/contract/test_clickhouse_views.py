"""The views give what they say, on a world small enough to count by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from renown.activity import recent_changes
from renown.queries import (
    engagers_of,
    leaderboard,
    received_by_kind,
    run_report,
    score_of,
)
from schemas.kinds import POST
from schemas.score import ScoreUpdate
from schemas.topics import Topic
from streams.sinks.client import Database
from tests.support.sink import LOG, fresh_database, store, writer_of
from tests.support.weighed import HOUR, Row, frame, numbered

ANN, BOB, ZOE = "twitter:ann", "bluesky:bob", "twitter:zoe"
UNDONE = Row(actor=BOB, target=ZOE, kind=0, network=13, hour=1001)
WORLD = numbered(
    [
        Row(actor=ANN, target=ZOE, kind=3, hour=1000),
        Row(actor=ANN, target=ZOE, kind=1, hour=1001, cls=4),
        Row(actor=BOB, target=ZOE, kind=3, network=13, hour=1001),
        UNDONE,
        UNDONE.undone,
        Row(actor=BOB, target=ANN, kind=2, hour=1001, amount=2),
    ]
)
OWN = [Row(actor=who, target=who, kind=POST, hour=1001, source=-1) for who in (ZOE, ZOE, ANN)]
POSTS = numbered([*OWN, OWN[0].undone])
NUMBERS = tuple(range(1, 6))


def update(profile: str, score: int, hour: int, sequence: int, epoch: int = 1) -> ScoreUpdate:
    return ScoreUpdate(
        profile=profile,
        score=score,
        bits=1,
        momentum=50,
        influence=1,
        weights=NUMBERS,
        interactions=NUMBERS,
        engagers=NUMBERS,
        change=score - 1000,
        model=1,
        clock=hour * HOUR,
        partition=0,
        position=0,
        epoch=epoch,
        sequence=sequence,
    )


SCORES = [
    update(ZOE, 20_000, 1000, 1),
    update(ANN, 10_000, 1000, 2),
    update(ZOE, 25_000, 1001, 3),
    update(ZOE, 30_500, 1030, 1, epoch=2),
    update(BOB, 1_000, 1030, 2, epoch=2),
    update(ZOE, 99_000, 1040, 4),  # of an owner that had lost the partition
    update(ZOE, 30_500, 1030, 1, epoch=2),  # published twice
]


@pytest.fixture(scope="module")
def db(clickhouse: str) -> Iterator[Database]:
    with fresh_database(clickhouse) as database:
        writer = writer_of(database)
        store(writer, Topic.WEIGHED, [frame(WORLD), frame(POSTS)])
        store(writer, Topic.SCORES, SCORES)
        writer.close()
        yield database


def test_interactions(db: Database) -> None:
    assert db.query("SELECT count(), sum(sign) FROM interactions") == [(6, 4)]
    assert db.query(
        "SELECT target, sum(sign * weight) FROM interactions GROUP BY ALL ORDER BY 1"
    ) == [
        (ANN, 2 * 3 * 512),
        (ZOE, 3 * 512 + 2 * 1024 + 3 * 512),
    ]


def test_own_posts_are_apart(db: Database) -> None:
    counted = "SELECT author, sum(sign), count() FROM own_posts GROUP BY author ORDER BY author"
    assert db.query(counted) == [(ANN, 1, 1), (ZOE, 1, 3)]
    assert db.query("SELECT count() FROM weighed_rows") == [(10,)]
    assert db.query("SELECT count() FROM influenced_by WHERE actor = target") == [(0,)]
    assert db.query("SELECT DISTINCT kind FROM engagement_hourly ORDER BY kind") == [
        ("comment",),
        ("mention",),
        ("retweet",),
    ]


def test_interactions_by_actor_are_found_by_their_index(db: Database) -> None:
    sql = "SELECT count() FROM interactions_rows WHERE actor = 'twitter:ann'"
    plan = " ".join(line for (line,) in db.query(f"EXPLAIN indexes = 1 {sql}"))
    assert "by_actor" in plan
    assert db.query(sql) == [(3,)]


def test_score_now_is_of_the_newest_owner(db: Database) -> None:
    assert db.query("SELECT profile, score, epoch, sequence FROM score_now ORDER BY profile") == [
        (BOB, 1_000, 2, 2),
        (ANN, 10_000, 1, 2),
        (ZOE, 30_500, 2, 1),
    ]


def test_score_now_looks_up_one_profile_by_the_key(db: Database) -> None:
    sql = "SELECT score FROM score_now WHERE profile = 'twitter:zoe'"
    plan = " ".join(line for (line,) in db.query(f"EXPLAIN indexes = 1 {sql}"))
    assert "PrimaryKey" in plan
    assert "(profile in ['twitter:zoe'" in plan


def test_score_of(db: Database) -> None:
    found = score_of(db, ZOE)
    assert found is not None
    assert (found.points, found.momentum, found.rank, found.ranked) == (30.5, 50, 1, 3)
    assert found.clock == datetime.fromtimestamp(1030 * 3600, UTC)
    assert found.weights == found.interactions == found.engagers == NUMBERS
    assert score_of(db, "twitter:nobody") is None


def test_leaderboard_leaves_out_the_lowest_score(db: Database) -> None:
    places = leaderboard(db)
    assert [(p.rank, p.profile, p.points, p.score) for p in places] == [
        (1, ZOE, 30.5, 30_500),
        (2, ANN, 10.0, 10_000),
    ]
    assert (places[0].engagers_24h, places[0].interactions_90d) == (2, 5)
    assert len(leaderboard(db, limit=1)) == 1


def test_history_has_each_update_once_the_newest_first(db: Database) -> None:
    changes = recent_changes(db, ZOE, 10)
    assert [(change.after, change.change, change.cause) for change in changes] == [
        (30.5, 29.5, "interaction"),
        (99.0, 98.0, "interaction"),
        (25.0, 24.0, "interaction"),
        (20.0, 19.0, "interaction"),
    ]


def test_movers_compare_with_the_day_before(db: Database) -> None:
    # The newest clock is 1040: what was known at 1016 counts as before.
    sql = "SELECT profile, points, points_before, change_points FROM movers"
    assert db.query(sql) == [(ZOE, 30.5, 25.0, 5.5)]


def test_influencers_of_leaves_out_what_was_taken_back(db: Database) -> None:
    found = engagers_of(db, ZOE)
    assert [(e.account, e.network, e.interactions, e.weight) for e in found] == [
        (ANN, "twitter", 2, 3.5),
        (BOB, "bluesky", 1, 1.5),
    ]
    assert db.query(f"SELECT best_class FROM influencers_of WHERE actor = '{ANN}'") == [(4,)]


def test_influenced_by(db: Database) -> None:
    sql = f"SELECT target, interactions, weight FROM influenced_by WHERE actor = '{BOB}' ORDER BY 1"
    assert db.query(sql) == [(ANN, 1, 3.0), (ZOE, 1, 1.5)]


def test_engagement_hourly(db: Database) -> None:
    sql = (
        "SELECT toUnixTimestamp(starts), network, kind, interactions, weight"
        f" FROM engagement_hourly WHERE target = '{ZOE}' ORDER BY ALL"
    )
    assert db.query(sql) == [
        (1000 * 3600, "twitter", "retweet", 1, 1.5),
        (1001 * 3600, "bluesky", "retweet", 1, 1.5),
        (1001 * 3600, "twitter", "mention", 1, 2.0),
    ]


def test_network_mix(db: Database) -> None:
    sql = f"SELECT network, interactions, share FROM network_mix WHERE target = '{ZOE}' ORDER BY 1"
    assert db.query(sql) == [("bluesky", 1, 0.3), ("twitter", 2, 0.7)]


def test_received_by_kind(db: Database) -> None:
    assert received_by_kind(db, ZOE) == {"mention": 1, "retweet": 2}


def test_run_report(db: Database) -> None:
    report = run_report(db, LOG)
    assert report.rows == {
        "interactions": 6,
        "own_posts": 4,
        "scores": 6,
        "score_now": 3,
        "dead_letters": 0,
        "leaderboard": 2,
    }
    assert (report.accounts_scored, report.accounts_above_1, report.score_sum) == (3, 2, 40_500)
    assert report.top == [(ZOE, 30_500), (ANN, 10_000)]
    assert run_report(db, LOG + 1).rows["interactions"] == 0


def test_a_newer_log_comes_before_an_older_one(clickhouse: str) -> None:
    with fresh_database(clickhouse) as db:
        for log, score in ((LOG + 1, 5_000), (LOG, 9_000)):
            writer = writer_of(db, log)
            store(writer, Topic.SCORES, [replace(SCORES[0], score=score)])
            store(writer, Topic.WEIGHED, [frame(WORLD), frame(POSTS)])
            writer.close()
        assert db.query("SELECT score FROM score_now") == [(5_000,)]
        assert run_report(db, LOG).score_sum == 9_000
