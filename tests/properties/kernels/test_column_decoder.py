"""The columns of a fetch are those of the plain decoder, whatever lies in the records."""

import json
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.interaction import EARLIEST_AT, LARGEST_AHEAD_MS, LATEST_AT, Heartbeat, Interaction
from schemas.kinds import KINDS
from schemas.networks import NETWORKS
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.core.column_decoder import ColumnDecoder
from streams.core.decode import Decoder
from streams.core.decoded import BAD, INTERACTION, Decoded, Spans, decode_plain
from streams.core.records import Record, RecordColumns
from tests.support.examples import refused, valid
from tests.support.interactions import NOON

COLUMNS = (
    "received_at amount network undo self_ id engager record target_partition".split()  # noqa: SIM905
)


def texts(decoded: Decoded, spans: Spans) -> list[bytes | None]:
    return [
        None if size < 0 else bytes(decoded.data[place : place + size])
        for place, size in zip(spans.places, spans.sizes, strict=True)
    ]


def agree(records: list[Record], topic: Topic, partition: int = 0, partitions: int = 1) -> Decoded:
    """Both ways say the same of ``records``; returns what they say."""
    columns = RecordColumns.of(records)
    plain = decode_plain(columns, Decoder(topic, partition, partitions), partitions)
    quick = ColumnDecoder(topic, partition, partitions).decode(columns)
    assert quick.what.tolist() == plain.what.tolist()
    assert quick.bad == plain.bad
    assert quick.offsets.tolist() == plain.offsets.tolist()
    told, row = plain.what != BAD, plain.what == INTERACTION
    assert quick.at[told].tolist() == plain.at[told].tolist()
    for name in COLUMNS:
        assert getattr(quick, name)[row].tolist() == getattr(plain, name)[row].tolist(), name
    for name in ("actor", "target", "object"):
        found, wanted = (texts(d, getattr(d, name)) for d in (quick, plain))
        assert [t for t, r in zip(found, row, strict=True) if r] == [
            t for t, r in zip(wanted, row, strict=True) if r
        ], name
    return quick


def records_of(values: list[bytes | None], timestamp: int = NOON) -> list[Record]:
    return [Record(10 + n, timestamp, b"key", value) for n, value in enumerate(values)]


NETWORK = st.sampled_from(NETWORKS) | st.sampled_from(["", "x", "face", "a_network_of_long_name"])
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
TEXT = PLAIN | st.text(max_size=12) | st.sampled_from(["", "x" * 1024, "x" * 1025, "a\\u0041"])
ACCOUNT = (
    st.builds("{}:{}".format, st.sampled_from(NETWORKS), PLAIN)
    | st.builds("{}:{}".format, NETWORK, TEXT)
    | st.sampled_from(["twitter:" + "x" * 504, "twitter:" + "x" * 505, "twitter", ":", "x"])
)
TIME = (
    st.integers(NOON - 10, NOON + 10)
    | st.sampled_from([EARLIEST_AT, EARLIEST_AT - 1, LATEST_AT, LATEST_AT + 1])
    | st.sampled_from([NOON + LARGEST_AHEAD_MS, NOON + LARGEST_AHEAD_MS + 1])
    | st.integers(-5, 1 << 70)
)
WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [None, [], {}, 1.0, 1.5, True, "1", -1, 10**17, 10**18, 10**19, 10**400, "true"]
)
USUAL = st.fixed_dictionaries(
    {
        "id": PLAIN,
        "kind": st.just("like"),
        "network": st.sampled_from(NETWORKS),
        "actor": ACCOUNT,
        "at": st.integers(NOON - 10, NOON),
        "received_at": st.just(NOON),
    },
    optional={
        "target": ACCOUNT,
        "object": PLAIN,
        "record": PLAIN,
        "amount": st.integers(1, 1_000_000),
        "undo": st.booleans(),
        "estimated": st.booleans(),
        "v": st.just(1),
    },
)
ODD = st.dictionaries(
    st.sampled_from([*Interaction.__struct_fields__, "clock", "agent", "mood", "received_by", ""]),
    st.one_of(
        NETWORK,
        ACCOUNT,
        TEXT,
        TIME,
        WRONG,
        st.booleans(),
        st.sampled_from([k.value for k in KINDS]),
    ),
    max_size=3,
)
BEAT = st.fixed_dictionaries(
    {"clock": TIME}, optional={"agent": PLAIN | st.just("x" * 129), "v": st.integers(0, 2)}
)


@st.composite
def written(draw: st.DrawFn, fields: st.SearchStrategy[dict[str, Any]]) -> bytes:
    """Fields as JSON in some style, their order mixed."""
    given_ = draw(fields)
    mixed = {name: given_[name] for name in draw(st.permutations(sorted(given_)))}
    text = json.dumps(
        mixed,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, None, 1, "\t", "\r"])),
        separators=draw(st.sampled_from([None, (",", ":"), (" ,\n", " :\t")])),
    )
    blank = st.sampled_from(["", "", " ", "\n\r\t "])
    return f"{draw(blank)}{text}{draw(blank)}".encode(errors="surrogatepass")


INTERACTIONS = written(USUAL) | written(st.builds(dict[str, Any].__or__, USUAL, ODD))
ANY = INTERACTIONS | written(BEAT) | written(ODD) | st.binary(max_size=30) | st.none()


@given(st.lists(ANY, max_size=6), st.sampled_from([NOON, NOON - 400_000, 0]))
@settings(max_examples=400)
def test_random_records(values: list[bytes | None], timestamp: int) -> None:
    agree(records_of(values, timestamp), Topic.LIKE)


@given(st.lists(written(USUAL), min_size=1, max_size=6), st.integers(0, 6), st.integers(1, 7))
def test_records_of_several_partitions(values: list[bytes], partition: int, extra: int) -> None:
    agree(records_of(list(values)), Topic.LIKE, partition, partition + extra)


@given(INTERACTIONS | written(BEAT), st.data())
@settings(max_examples=400)
def test_mutated_records(value: bytes, data: st.DataObject) -> None:
    changed = bytearray(value)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, max(0, len(changed) - 1)))
        change = data.draw(st.binary(max_size=2) | st.sampled_from([b'"', b"\\", b",", b"}", b"0"]))
        changed[place : place + data.draw(st.integers(0, 2))] = change
    agree(records_of([bytes(changed), value, bytes(changed[:-1])]), Topic.LIKE)


def test_golden_examples_of_every_topic() -> None:
    good = [*valid("interactions").values()]
    compact = [json.dumps(json.loads(value), separators=(",", ":")).encode() for value in good]
    bad = [each.record for each in refused("interactions")]
    for topic in INTERACTION_TOPICS:
        agree(records_of([*good, *compact, *bad], LATEST_AT), topic)
        agree(records_of([*good, *compact, *bad]), topic)


def test_plain_records_need_no_second_look(monkeypatch: Any) -> None:
    """The last record of a buffer, too, and whatever fields it has."""
    like: dict[str, Any] = {"id": "1", "kind": "like", "network": "twitter"}
    like |= {"actor": "twitter:a"}
    like |= {"at": NOON, "received_at": NOON}
    shapes: list[dict[str, Any]] = [
        like | {"target": "facebook_page:b"},
        like | {"record": "r", "undo": True, "v": 1},
        like | {"target": "twitter:a", "amount": 7, "object": "o", "estimated": False},
        msgspec.to_builtins(Heartbeat(clock=NOON, agent="x")),
        {"clock": NOON, "v": 1},
    ]
    monkeypatch.setattr("streams.core.column_decoder.decide", None)
    decoder = ColumnDecoder(Topic.LIKE, 0, 1)
    for value in [
        text for shape in shapes for text in (json.dumps(shape), json.dumps(shape, indent=1))
    ]:
        decoded = decoder.decode(RecordColumns.of(records_of([value.encode()])))
        assert len(decoded) == 1


def test_a_fetch_of_nothing() -> None:
    assert len(agree([], Topic.LIKE)) == 0


def test_every_network_is_known() -> None:
    values = [
        json.dumps(
            {"id": "1", "kind": "like", "network": n, "actor": f"{n}:a", "target": f"{n}:b"}
            | {"at": NOON, "received_at": NOON}
        ).encode()
        for n in NETWORKS
    ]
    assert agree(records_of([*values]), Topic.LIKE).network.tolist() == list(range(len(NETWORKS)))
    assert np.all(agree(records_of([*values]), Topic.MENTION).what == BAD)
