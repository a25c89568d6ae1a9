"""Score updates become columns: the plain ones in a kernel, the others one by one, all alike."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.interaction import LATEST_AT
from schemas.score import ScoreUpdate
from streams.core.records import Record, RecordColumns
from streams.sinks.score_rows import ScoreRows, read_score, read_scores, score_columns
from streams.sinks.tables import SCORES, TABLES, dtype_of
from streams.sinks.text_arrays import plain

UPDATE = ScoreUpdate(
    profile="twitter:zoe",
    score=17996,
    bits=324_000,
    momentum=60,
    influence=7000,
    weights=(1, 2, 3, 4, 5),
    interactions=(6, 7, 8, 9, 10),
    engagers=(11, 12, 13, 14, 15),
    model=1,
    clock=3_600_000_000,
    partition=2,
    position=40,
    epoch=3,
    sequence=9,
)

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
FIVE = st.tuples(*[INT64] * 5)


def updates() -> st.SearchStrategy[ScoreUpdate]:
    natural = st.integers(0, (1 << 63) - 1) | st.integers(0, 10**6)
    return st.builds(
        ScoreUpdate,
        profile=st.text(min_size=1, max_size=40) | st.text("abc:", min_size=1, max_size=1024),
        score=st.integers(1000, 100_000),
        bits=natural,
        momentum=st.integers(0, 100),
        influence=natural,
        weights=FIVE,
        interactions=FIVE,
        engagers=FIVE,
        level=st.integers(0, 64),
        change=st.integers(-(1 << 31), (1 << 31) - 1),
        cause=st.sampled_from(["interaction", "time", "end"]),
        model=st.integers(1, (1 << 16) - 1),
        clock=st.integers(0, LATEST_AT),
        partition=st.integers(0, (1 << 32) - 1),
        position=INT64,
        epoch=INT64,
        sequence=natural,
    )


def changed(update: ScoreUpdate, **values: object) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(update) | values)


def fetched(values: Sequence[bytes | None]) -> RecordColumns:
    return RecordColumns.of([Record(7 + i, 0, None, value) for i, value in enumerate(values)])


def read(values: Sequence[bytes | None]) -> tuple[ScoreRows, list[int]]:
    rows, bad = read_scores(fetched(values), np.arange(len(values)), 3)
    return rows, [place for place, _ in bad]


def as_rows(parts: list[ScoreRows], log: int = 8) -> list[dict[str, Any]]:
    columns = {name: plain(values) for name, values in score_columns(parts, log).items()}
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*(values.tolist() for values in columns.values()), strict=True)
    ]


def row_of(update: ScoreUpdate, offset: int, partition: int = 3, log: int = 8) -> dict[str, Any]:
    """The plain twin: what must be stored of an update."""
    row: dict[str, Any] = {"log": log, "topic_partition": partition, "topic_offset": offset}
    values = msgspec.to_builtins(update)
    for prefix, name in (
        ("weight", "weights"), ("interactions", "interactions"), ("engagers", "engagers"),
    ):  # fmt: skip
        for horizon, number in zip(
            ("6h", "24h", "7d", "30d", "90d"), values.pop(name), strict=True
        ):
            row[f"{prefix}_{horizon}"] = number
    row["weighed_partition"], row["weighed_offset"] = (
        values.pop("partition"),
        values.pop("position"),
    )
    del values["v"]
    row.update(values)
    return row


def test_an_update_fills_every_column() -> None:
    (rows, bad) = read([msgspec.json.encode(UPDATE)])
    assert not bad
    columns = score_columns([rows], log=8)
    assert set(columns) == set(TABLES[SCORES])
    assert {name: plain(values).dtype for name, values in columns.items()} == {
        name: dtype_of(SCORES, name) for name in columns
    }
    assert as_rows([rows]) == [row_of(UPDATE, 7)]


@given(st.lists(updates(), max_size=8), st.randoms())
def test_whatever_is_published_is_stored(given_: list[ScoreUpdate], rng: Any) -> None:
    """Compact, with blanks, with fields in another order or left out: all the same rows."""
    texts = []
    for update in given_:
        text = msgspec.json.encode(update)
        fields = list(msgspec.json.decode(text).items())
        match rng.randrange(4):
            case 1:
                text = msgspec.json.format(text)
            case 2:
                rng.shuffle(fields)
                text = msgspec.json.encode(dict(fields))
            case 3:
                text = msgspec.json.encode(dict(fields[1:]))
        texts.append(text)
    rows, bad = read(texts)
    assert not bad
    assert as_rows([rows]) == [row_of(update, 7 + i) for i, update in enumerate(given_)]


@given(updates(), st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=3), st.data())
def test_damaged_ones_are_refused_or_read_as_msgspec_does(
    update: ScoreUpdate, damage: list[tuple[int, int]], data: st.DataObject
) -> None:
    text = bytearray(msgspec.json.encode(update))
    for place, byte in damage:
        text[place % len(text)] = byte
    text = text[: data.draw(st.integers(0, len(text)))] if data.draw(st.booleans()) else text
    try:
        expected = [row_of(read_score(bytes(text)), 8)]
    except ValueError:
        expected = []
    whole = msgspec.json.encode(UPDATE)
    rows, bad = read([whole, bytes(text), whole])
    assert bad == ([] if expected else [1])
    assert as_rows([rows]) == [row_of(UPDATE, 7), *expected, row_of(UPDATE, 9)]


BAD: list[dict[str, object]] = [
    {"weights": [1, 2, 3]},
    {"engagers": [1, 2, 3, 4, 1 << 63]},
    {"sequence": 1 << 63},
    {"change": 1 << 31},
    {"model": 1 << 16},
    {"model": 0},
    {"partition": -1},
    {"score": 5},
    {"profile": ""},
    {"profile": "a" * 1025},
    {"momentum": 101},
    {"level": 65},
    {"clock": -1},
    {"cause": "magic"},
    {"v": 2},
]


@pytest.mark.parametrize("values", BAD, ids=str)
def test_one_that_cannot_be_stored_is_refused_and_no_other(values: dict[str, object]) -> None:
    assert read_score(changed(UPDATE)) == UPDATE
    with pytest.raises(ValueError, match=r"."):
        read_score(changed(UPDATE, **values))
    rows, bad = read([changed(UPDATE, **values), changed(UPDATE)])
    assert bad == [0]
    assert as_rows([rows]) == [row_of(UPDATE, 8)]


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"\xff\xfe", b'{"v":"\xff"}', b"[1]"])
def test_noise_is_no_update(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_score(data)
    assert read([data])[1] == [0]


def test_only_the_wanted_ones_are_read() -> None:
    values = [changed(UPDATE, sequence=i) for i in range(5)]
    rows, bad = read_scores(fetched([*values, None]), np.array([1, 3]), 3)
    assert not bad
    assert [row["sequence"] for row in as_rows([rows])] == [1, 3]


def test_parts_stand_one_after_the_other() -> None:
    first, _ = read_scores(
        fetched([changed(UPDATE, profile="é"), changed(UPDATE)]), np.arange(2), 1
    )
    second, _ = read_scores(fetched([changed(UPDATE, cause="end")]), np.arange(1), 2)
    found = [
        (row["profile"], row["cause"], row["topic_partition"], row["topic_offset"])
        for row in as_rows([first, second])
    ]
    assert found == [
        ("é", "interaction", 1, 7),
        ("twitter:zoe", "interaction", 1, 8),
        ("twitter:zoe", "end", 2, 7),
    ]
