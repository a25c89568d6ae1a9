"""Laws of weighing: batches, restarts and repeats are invisible, and nothing is lost or doubled."""

from collections import Counter
from itertools import accumulate, pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.frames import ROW_SCHEMA
from schemas.hashing import hash64
from schemas.interaction import Heartbeat, Interaction
from schemas.model import load_model
from schemas.topics import Topic
from streams.core.decode import Bad, Decoder
from streams.core.framing import FrameBuilder
from streams.core.records import Record
from streams.core.weigh import WeighSource
from streams.core.weighed import Weighed
from tests.support.interactions import HOUR, NOON, account_in, encode, interaction, record
from tests.support.rows import Row, all_rows, rows_in

PARTITIONS, HERE, HORIZON = 3, 1, 40
ACTORS = [account_in(HERE, PARTITIONS, name) for name in ("ada", "kim")]
TARGETS = [account_in(p, PARTITIONS, "target") for p in range(PARTITIONS)]
OF = {name: i for i, name in enumerate(ROW_SCHEMA.names)}
MODEL = load_model()


@st.composite
def interactions(draw: st.DrawFn) -> Interaction:
    """Few ids, actors, targets and records, so that they meet; some elsewhere, some very old."""
    number = draw(st.integers(0, 5))
    undo = draw(st.booleans())
    at = NOON + draw(st.integers(-3, 3)) * HOUR - draw(st.sampled_from([0, 0, 0, 2160 * HOUR]))
    return interaction(
        id=str(number),
        actor=draw(st.sampled_from([*ACTORS, TARGETS[0]])),
        target=None
        if undo and draw(st.booleans())
        else draw(st.sampled_from([*TARGETS, ACTORS[0]])),
        record=(None, "r", "r", "s")[number % 4],
        amount=draw(st.integers(1, 3)),
        at=at,
        received_at=at + HOUR,
        undo=undo,
    )


messages = st.one_of(
    interactions(),
    interactions(),
    interactions(),
    st.builds(Heartbeat, clock=st.integers(NOON - HOUR, NOON + 100 * HOUR)),
    st.sampled_from([None, b"", b"{", b"{}", b"\xff"]),
)
steps = st.lists(st.tuples(messages, st.integers(1, 9)), max_size=40)
"""Messages with the distance of each from the offset before."""

Steps = list[tuple[Interaction | Heartbeat | bytes | None, int]]


def records_of(history: Steps) -> list[Record]:
    offsets = accumulate((leap for _, leap in history), initial=-1)
    return [record(o, m) for (m, _), o in zip(history, list(offsets)[1:], strict=True)]


def new_source() -> WeighSource:
    return WeighSource(Topic.RETWEET, HERE, PARTITIONS, MODEL, HORIZON)


def batches(records: list[Record], cuts: list[int]) -> list[list[Record]]:
    edges = sorted({0, len(records), *(c for c in cuts if c < len(records))})
    return [records[a:b] for a, b in pairwise(edges)]


def feed(source: WeighSource, parts: list[list[Record]]) -> list[Weighed]:
    return [source.apply(part, part[-1].offset) for part in parts]


def rows_of(weighed: list[Weighed]) -> list[list[Row]]:
    parts = [rows_in(w, PARTITIONS) for w in weighed]
    return [[row for part in parts for row in part[q]] for q in range(PARTITIONS)]


def packed(source: WeighSource) -> bytes:
    return msgspec.msgpack.encode(source.snapshot(0, whole=True))


cuts = st.lists(st.integers(1, 39), max_size=5)


@given(steps, cuts)
def test_batches_make_no_difference(history: Steps, where: list[int]) -> None:
    records = records_of(history)
    whole, cut = new_source(), new_source()
    at_once, in_parts = feed(whole, batches(records, [])), feed(cut, batches(records, where))
    assert rows_of(at_once) == rows_of(in_parts)
    assert [d for w in at_once for d in w.dead] == [d for w in in_parts for d in w.dead]
    assert packed(whole) == packed(cut)


@given(steps, st.integers(0, 40))
def test_a_restart_makes_no_difference(history: Steps, cut: int) -> None:
    records = records_of(history)
    whole, before = new_source(), new_source()
    expected = feed(whole, batches(records, []))
    first = feed(before, batches(records[:cut], []))
    after = WeighSource.restore(
        [(0, msgspec.msgpack.decode(packed(before)))],
        Topic.RETWEET,
        HERE,
        PARTITIONS,
        MODEL,
        HORIZON,
    )
    second = feed(after, batches(records[cut:], []))
    assert rows_of(first + second) == rows_of(expected)
    assert packed(after) == packed(whole)


@given(steps, st.integers(0, 40))
def test_replaying_a_prefix_changes_nothing(history: Steps, length: int) -> None:
    records = records_of(history)
    source = new_source()
    feed(source, batches(records, []))
    state = packed(source)
    again = feed(source, batches(records[:length], []))
    assert rows_of(again) == [[]] * PARTITIONS
    assert not any(w.dead for w in again)
    assert packed(source) == state


@given(steps)
def test_every_record_has_an_outcome_and_every_row_a_reason(history: Steps) -> None:
    source = new_source()
    extra = 0
    for item in records_of(history):
        before = dict(source.totals)
        weighed = source.apply([item], item.offset)
        changed = Counter(source.totals) - Counter(before)
        rows = len(all_rows(weighed))
        assert len(weighed.dead) == changed["dead"]
        if "undone" in changed:
            assert set(changed) == {"undone"}
            assert rows in (0, changed["undone"])
            extra += changed["undone"] - 1
        else:
            assert sum(changed.values()) == 1
            assert rows == changed["accepted"]
    assert sum(source.totals.values()) == len(history) + extra


@given(steps)
def test_the_signed_rows_of_an_interaction_are_nothing_or_itself(history: Steps) -> None:
    source = new_source()
    sums: dict[tuple[Any, ...], list[int]] = {}
    for row in (
        row for rows in rows_of(feed(source, batches(records_of(history), []))) for row in rows
    ):
        sign = -1 if row[OF["undo"]] else 1
        cell = tuple(row[OF[n]] for n in ("engager", "id", "target", "at", "class", "network"))
        total = sums.setdefault(cell, [0, 0, 0])
        for i, amount in enumerate((1, row[OF["weight"]], row[OF["amount"]])):
            total[i] += sign * amount
    forgotten = sum(leap for _, leap in history) > HORIZON
    for count, weight, amount in sums.values():
        assert count in (0, 1) or (forgotten and count > 1)
        assert weight == 3 * 512 * amount
        if count == 0:
            assert (weight, amount) == (0, 0)


@given(st.lists(interactions(), max_size=20))
def test_adding_and_taking_everything_back_leaves_nothing(added: list[Interaction]) -> None:
    source = WeighSource(Topic.RETWEET, HERE, PARTITIONS, MODEL, horizon=1000)
    deliveries = [
        msgspec.structs.replace(m, undo=False, target=m.target or TARGETS[0]) for m in added
    ]
    undos = [
        msgspec.structs.replace(m, undo=True, at=NOON + HOUR * 4, received_at=NOON + HOUR * 4)
        for m in deliveries
    ]
    everything = [record(o, m) for o, m in enumerate(deliveries + undos)]
    weights: Counter[tuple[Any, ...]] = Counter()
    for row in all_rows(source.apply(everything, len(everything))):
        sign = -1 if row[OF["undo"]] else 1
        weights[row[OF["target"]], row[OF["at"]]] += sign * row[OF["weight"]]
    assert not any(weights.values())
    assert source.totals["accepted"] == source.totals["undone"]


@given(steps)
def test_rows_stand_in_the_order_of_offset_and_part_where_their_target_lies(history: Steps) -> None:
    source = new_source()
    for q, rows in enumerate(rows_of(feed(source, batches(records_of(history), [])))):
        places = [(row[OF["offset"]], row[OF["part"]]) for row in rows]
        assert places == sorted(set(places))
        assert all(row[OF["target"]] == TARGETS[q] or q == HERE for row in rows)
        assert all(row[OF["engager"]] == hash64(row[OF["actor"]]) for row in rows)


@given(steps, cuts, st.lists(st.tuples(st.floats(0, 2), st.booleans()), min_size=6, max_size=6))
def test_frames_tell_each_target_everything_once(
    history: Steps, where: list[int], takes: list[tuple[float, bool]]
) -> None:
    source, now = new_source(), 0.0
    builder = FrameBuilder(Topic.RETWEET, HERE, PARTITIONS, MODEL.version)
    known = [-1] * PARTITIONS
    told: list[list[int]] = [[] for _ in range(PARTITIONS)]
    expected: list[list[int]] = [[] for _ in range(PARTITIONS)]
    for part, (pause, everything) in zip(
        [*batches(records_of(history), where), []], takes + takes, strict=False
    ):
        weighed = source.apply(part, part[-1].offset if part else source.applied)
        for q, rows in enumerate(rows_in(weighed, PARTITIONS)):
            expected[q].extend(row[0] for row in rows)
        builder.add(weighed.rows, source.applied, source.clock, source.totals)
        now += pause
        for q, frame in builder.take(now, everything=everything or not part):
            assert frame.header.first == known[q] + 1
            assert frame.header.last > known[q]
            offsets = frame.columns["offset"].tolist()
            assert all(frame.header.first <= o <= frame.header.last for o in offsets)
            known[q] = frame.header.last
            told[q].extend(offsets)
    assert told == expected
    assert known == [source.applied] * PARTITIONS


@given(st.binary() | st.none(), st.integers(-1, NOON * 2))
def test_decoding_never_raises(value: bytes | None, timestamp: int) -> None:
    assert isinstance(Decoder(Topic.LIKE, 0, 1).decode(value, timestamp), Bad)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("v", "id", "kind", "actor", "target", "at", "undo", "record", "amount", "clock", "else")


@given(
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=3),
    st.sets(st.sampled_from(FIELDS), max_size=2),
)
def test_decoding_never_raises_on_almost_right_json(
    changes: dict[str, Any], missing: set[str]
) -> None:
    fields = msgspec.to_builtins(interaction()) | changes
    value = msgspec.json.encode({k: v for k, v in fields.items() if k not in missing})
    result = Decoder(Topic.RETWEET, 0, 1).decode(value, NOON)
    assert isinstance(result, Interaction | Heartbeat | Bad)


@given(st.data())
def test_decoding_never_raises_on_damaged_bytes(data: st.DataObject) -> None:
    value = bytearray(encode(interaction(record="r", object="o")))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    source = WeighSource(Topic.RETWEET, 0, 1, MODEL, HORIZON)
    source.apply([Record(0, NOON, None, bytes(value))], 0)
    assert sum(source.totals.values()) == 1
