"""One source topic-partition: what becomes of each record, and what its rows say."""

import msgspec
import pytest

from schemas.dead_letter import LARGEST_KEPT_BODY
from schemas.frames import OUTCOMES, ROW_SCHEMA
from schemas.hashing import hash64
from schemas.interaction import LATEST_AT, Heartbeat, Interaction
from schemas.kinds import Kind
from schemas.model import load_model
from schemas.post import Post
from schemas.topics import Topic
from streams.core.records import Record
from streams.core.weigh import LARGEST_KEPT_KEY, WeighSource
from streams.core.weigh_partition import WeighPartition
from streams.core.weighed import Weighed
from streams.kernels.seen import LARGEST_RECORD
from tests.support.interactions import (
    HOUR,
    MINUTE,
    NOON,
    account_in,
    encode,
    interaction,
    record,
)
from tests.support.rows import all_rows, rows_in

MODEL = load_model()
NAMES = ROW_SCHEMA.names


def source(topic: Topic = Topic.RETWEET, partition: int = 0, partitions: int = 1) -> WeighSource:
    return WeighSource(topic, partition, partitions, MODEL, horizon=1000)


def feed(weigh: WeighSource, *messages: Interaction | Heartbeat | bytes | None) -> Weighed:
    first = weigh.applied + 1
    records = [record(first + i, message) for i, message in enumerate(messages)]
    return weigh.apply(records, first + len(records) - 1)


def rows_of(weighed: Weighed) -> list[dict[str, object]]:
    return [dict(zip(NAMES, row, strict=True)) for row in all_rows(weighed)]


def counts(weigh: WeighSource) -> dict[str, int]:
    return {outcome: n for outcome, n in weigh.totals.items() if n}


def test_an_accepted_interaction_becomes_a_row() -> None:
    weigh = source()
    message = interaction(id="7", object="twitter:status:5", record="r", amount=2)
    (row,) = rows_of(feed(weigh, message))
    assert row == {
        "offset": 0,
        "part": 0,
        "at": NOON,
        "received_at": NOON + 500,
        "kind": 3,
        "network": 0,
        "actor": "twitter:ada",
        "target": "twitter:robin",
        "object": "twitter:status:5",
        "class": 3,
        "weight": 2 * 3 * 512,
        "amount": 2,
        "undo": False,
        "engager": hash64("twitter:ada"),
        "id": hash64("7"),
        "record": hash64("twitter:ada r"),
        "undone_at": 0,
        "whole_record": False,
    }
    assert counts(weigh) == {"accepted": 1}


@pytest.mark.parametrize(
    ("kind", "weight"),
    [
        ("like", 512),
        ("mention", 1024),
        ("comment", 1536),
        ("retweet", 1536),
        ("recommendation", 3072),
    ],
)
def test_the_weight_follows_from_the_kind(kind: str, weight: int) -> None:
    (row,) = rows_of(feed(source(Topic.of_kind(kind)), interaction(kind=Kind(kind))))
    assert row["weight"] == weight


def test_a_row_goes_to_the_partition_of_its_target() -> None:
    weigh = source(partition=1, partitions=4)
    actor = account_in(1, 4, "actor")
    targets = [account_in(partition, 4, "target") for partition in range(4)]
    weighed = feed(weigh, *(interaction(id=t, actor=actor, target=t) for t in targets))
    assert [[row[7] for row in rows] for rows in rows_in(weighed, 4)] == [[t] for t in targets]


def test_what_an_account_does_to_itself_does_not_count() -> None:
    weigh = source()
    own = interaction(target="twitter:ada")
    assert rows_of(feed(weigh, own, own, interaction(target="twitter:ada", undo=True))) == []
    assert counts(weigh) == {"self": 3}


def test_a_duplicate_gives_no_row() -> None:
    weigh = source()
    assert len(rows_of(feed(weigh, interaction(), interaction()))) == 1
    assert counts(weigh) == {"accepted": 1, "duplicate": 1}


def test_an_undo_takes_back_what_was_added_not_what_it_says() -> None:
    weigh = source()
    feed(weigh, interaction(amount=5, record="r"))
    undo = interaction(
        undo=True, at=NOON + HOUR, target="twitter:kim", network="bluesky", object="o"
    )
    (row,) = rows_of(feed(weigh, undo))
    assert (row["offset"], row["at"], row["received_at"]) == (1, NOON, NOON + HOUR + 500)
    assert (row["target"], row["network"], row["object"]) == ("twitter:robin", 0, "o")
    assert (row["weight"], row["amount"], row["undo"]) == (5 * 1536, 5, True)
    assert (row["id"], row["record"]) == (hash64("1"), hash64("twitter:ada r"))
    assert (row["undone_at"], row["whole_record"]) == (NOON + HOUR, False)
    assert counts(weigh) == {"accepted": 1, "undone": 1}


def test_an_undo_needs_no_target() -> None:
    weigh = source()
    feed(weigh, interaction())
    (row,) = rows_of(feed(weigh, interaction(undo=True, target=None)))
    assert (row["target"], row["undo"]) == ("twitter:robin", True)
    assert row["whole_record"] is False


def test_an_undo_that_met_nothing_waits() -> None:
    weigh = source()
    assert rows_of(feed(weigh, interaction(undo=True), interaction())) == []
    assert counts(weigh) == {"unmatched": 1, "undone": 1}


def test_nobody_takes_back_what_another_did() -> None:
    weigh = source()
    feed(weigh, interaction(record="r"))
    assert rows_of(feed(weigh, interaction(undo=True, actor="twitter:kim"))) == []
    stranger = interaction(undo=True, actor="twitter:kim", target=None, record="r")
    assert rows_of(feed(weigh, stranger)) == []
    assert counts(weigh) == {"accepted": 1, "unmatched": 2}


def test_nobody_forestalls_what_another_does() -> None:
    weigh = source()
    assert len(rows_of(feed(weigh, interaction(actor="twitter:kim"), interaction()))) == 2


def test_the_undo_of_a_record_numbers_its_rows() -> None:
    weigh = source(partition=1, partitions=4)
    actor = account_in(1, 4, "actor")
    targets = [account_in(partition, 4, "target") for partition in range(4)]
    added = [interaction(id=t, actor=actor, target=t, record="post") for t in targets]
    feed(weigh, *added)
    undo = interaction(id="u", actor=actor, target=None, record="post", undo=True, object="o")
    rows = rows_of(feed(weigh, undo))
    assert sorted(str(row["target"]) for row in rows) == sorted(targets)
    assert sorted(int(str(row["part"])) for row in rows) == [0, 1, 2, 3]
    assert {row["id"] for row in rows} == {hash64(t) for t in targets}
    assert {row["offset"] for row in rows} == {4}
    assert {row["object"] for row in rows} == {None}
    assert {(row["undone_at"], row["whole_record"]) for row in rows} == {(NOON, True)}
    assert counts(weigh) == {"accepted": 4, "undone": 4}


def test_a_record_cannot_give_more_than_one_undo_can_take() -> None:
    weigh = source()
    many = [
        interaction(id=str(i), target=f"twitter:t{i}", record="post")
        for i in range(LARGEST_RECORD + 1)
    ]
    (letter,) = feed(weigh, *many).dead
    assert letter.reason == "full record"
    assert counts(weigh) == {"accepted": LARGEST_RECORD, "dead": 1}


def test_late_is_a_matter_of_whole_hours_and_of_this_source() -> None:
    weigh = source()
    feed(weigh, Heartbeat(clock=NOON + HOUR - 1))
    in_time = interaction(id="a", at=NOON - 2160 * HOUR)
    too_late = interaction(id="b", at=NOON - 2160 * HOUR - 1)
    (row,) = rows_of(feed(weigh, in_time, too_late))
    assert row["id"] == hash64("a")
    assert counts(weigh) == {"heartbeat": 1, "accepted": 1, "late": 1}


def test_a_repeat_of_what_counted_is_a_duplicate_even_if_late() -> None:
    weigh = source()
    feed(weigh, interaction(), Heartbeat(clock=NOON + 3000 * HOUR), interaction())
    assert counts(weigh) == {"accepted": 1, "heartbeat": 1, "duplicate": 1}


def test_an_undo_is_never_late() -> None:
    weigh = source()
    feed(weigh, interaction(), Heartbeat(clock=NOON + 3000 * HOUR))
    assert len(rows_of(feed(weigh, interaction(undo=True)))) == 1


def test_the_clock_is_the_highest_event_time() -> None:
    weigh = source()
    assert weigh.clock == 0
    feed(weigh, interaction(), interaction(id="2", at=NOON - HOUR))
    assert weigh.clock == NOON
    feed(weigh, Heartbeat(clock=NOON + HOUR))
    assert weigh.clock == NOON + HOUR
    feed(weigh, Heartbeat(clock=NOON), b"no clock at all")
    assert weigh.clock == NOON + HOUR


@pytest.mark.parametrize("topic", [Topic.RETWEET, Topic.POSTS])
@pytest.mark.parametrize("at", [NOON + 5 * MINUTE + 1, NOON + 30 * 24 * HOUR, LATEST_AT])
def test_the_future_is_set_aside_and_moves_nothing(topic: Topic, at: int) -> None:
    """What lies ahead of its own record: the wall clock has no say, so a replay decides alike."""
    weigh, messages = source(topic), []
    for id_, when in (("1", NOON), ("2", at), ("3", NOON + 5 * MINUTE)):
        made: Interaction | Post = interaction(id=id_, at=when, received_at=max(when, NOON))
        if topic is Topic.POSTS:
            made = Post(id=id_, at=when, network="twitter", author="twitter:ada")
        messages.append(made)
    records = [Record(i, NOON, None, encode(message)) for i, message in enumerate(messages)]
    weighed = weigh.apply(records, 2)
    assert [(letter.reason, letter.offset) for letter in weighed.dead] == [("absurd time", 1)]
    assert [row["at"] for row in rows_of(weighed)] == [NOON, NOON + 5 * MINUTE]
    assert weigh.clock == NOON + 5 * MINUTE
    assert counts(weigh) == {"accepted": 2, "dead": 1}


def test_a_heartbeat_from_the_future_is_set_aside() -> None:
    weigh = source()
    feed(weigh, interaction())
    for number, ahead in enumerate((5 * MINUTE + 1, 30 * 24 * HOUR, LATEST_AT - NOON)):
        beat = Record(1 + number, NOON, None, encode(Heartbeat(clock=NOON + ahead)))
        assert [letter.reason for letter in weigh.apply([beat], 1 + number).dead] == ["absurd time"]
    assert weigh.clock == NOON


@pytest.mark.parametrize("published", [LATEST_AT, (1 << 63) - 1, -1, -(1 << 63)])
def test_a_time_of_publishing_that_cannot_be_is_borne(published: int) -> None:
    weigh = source()
    good = interaction(at=NOON, received_at=NOON)
    later = interaction(id="2", at=NOON + 5 * MINUTE + 1, received_at=NOON)
    records = [Record(i, published, None, encode(m)) for i, m in enumerate((good, later))]
    weighed = weigh.apply(records, 1)
    accepted = int(published > 0)
    assert len(rows_of(weighed)) == accepted
    assert [letter.reason for letter in weighed.dead] == ["absurd time"] * (2 - accepted)


def test_a_bad_record_becomes_a_dead_letter_and_the_flow_goes_on() -> None:
    weigh = source()
    bad = Record(0, NOON, b"key", b"{", (("agent", b"replay"), ("none", None)))
    weighed = weigh.apply([bad, record(1, interaction())], 1)
    (letter,) = weighed.dead
    assert (letter.reason, letter.topic, letter.partition, letter.offset) == (
        "bad json",
        "interactions.retweet",
        0,
        0,
    )
    assert (letter.at, letter.key, letter.value, letter.size) == (NOON, b"key", b"{", 1)
    assert letter.headers == (("agent", b"replay"), ("none", b""))
    assert len(rows_of(weighed)) == 1
    assert counts(weigh) == {"accepted": 1, "dead": 1}


def test_of_a_large_bad_record_the_beginning_is_kept() -> None:
    weigh = source()
    body, header = b"b" * 2_000_000, b"h" * LARGEST_KEPT_KEY
    bad = Record(0, NOON, b"k" * 2_000_000, body, (("small", b"s"), ("large", header)))
    (letter,) = weigh.apply([bad], 0).dead
    assert letter.reason == "too large"
    assert (letter.value, letter.size) == (body[:LARGEST_KEPT_BODY], 2_000_000)
    assert letter.key == b"k" * LARGEST_KEPT_KEY
    assert letter.headers == (("small", b"s"),)
    assert len(msgspec.json.encode(letter)) < 500_000


def test_what_was_applied_is_skipped() -> None:
    weigh = source()
    records = [record(i, interaction(id=str(i))) for i in range(4)]
    weigh.apply(records[:3], 2)
    weighed = weigh.apply(records, 3)
    assert [row["offset"] for row in rows_of(weighed)] == [3]
    assert weigh.totals["accepted"] == 4


def test_the_position_includes_gaps_and_never_falls() -> None:
    weigh = source()
    weigh.apply([record(5, interaction())], 9)
    assert weigh.applied == 9
    weigh.apply([], 3)
    assert weigh.applied == 9
    assert rows_of(weigh.apply([record(9, interaction(id="2"))], 9)) == []


def test_totals_name_every_outcome_from_the_start() -> None:
    assert source().totals == dict.fromkeys(OUTCOMES, 0)


def test_a_snapshot_goes_on_where_it_was_made() -> None:
    weigh = source()
    feed(weigh, interaction(record="r"), Heartbeat(clock=NOON + HOUR), b"{")
    packed = msgspec.msgpack.encode(weigh.snapshot(0, whole=True))
    restored = WeighSource.restore(
        [(0, msgspec.msgpack.decode(packed))], Topic.RETWEET, 0, 1, MODEL, horizon=1000
    )
    assert (restored.applied, restored.clock) == (2, NOON + HOUR)
    assert restored.totals == weigh.totals
    assert msgspec.msgpack.encode(restored.snapshot(1, whole=True)) == packed
    assert len(rows_of(feed(restored, interaction(undo=True)))) == 1


def test_a_snapshot_of_another_source_is_refused() -> None:
    snapshots = [(0, source().snapshot(0, whole=False))]
    with pytest.raises(ValueError, match=r"interactions\.like partition 0 .* topic"):
        WeighSource.restore(snapshots, Topic.LIKE, 0, 1, MODEL, horizon=1000)
    with pytest.raises(ValueError, match="number of partitions 1, not 4"):
        WeighSource.restore(snapshots, Topic.RETWEET, 0, 4, MODEL, horizon=1000)


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_a_snapshot_of_another_score_model_is_refused(before: int, after: int) -> None:
    held = WeighPartition(0, 1, load_model(before), 1000).snapshot(0)
    with pytest.raises(ValueError, match=f"made with score model {before}, not {after}"):
        WeighPartition(0, 1, load_model(after), 1000, [held])
