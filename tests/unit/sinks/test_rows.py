"""Frames, scores and dead letters become columns; what cannot be stored is told apart before."""

import random

import msgspec
import numpy as np
import pytest

from schemas.dead_letter import DeadLetter
from schemas.frames import ROW_SCHEMA, Frame, FrameHeader, columns_of
from schemas.hashing import hash64
from schemas.topics import Topic
from streams.core.records import Record
from streams.sinks.rows import (
    PlacedFrame,
    PlacedLetter,
    interaction_columns,
    letter_columns,
    read_frame,
    read_letter,
    unreadable,
)
from streams.sinks.tables import DEAD_LETTERS, INTERACTIONS, TABLES, dtype_of
from streams.sinks.text_arrays import plain
from tests.support.weighed import HOUR, Row, frame, numbered

LETTER = DeadLetter(
    reason="bad JSON", topic="interactions.like", partition=1, offset=5, at=HOUR, value=b"\xff{"
)


def test_rows_of_several_frames_stand_one_after_the_other() -> None:
    first = frame(numbered([Row(actor="ada"), Row(actor="bob", undo=True, cls=5)]))
    second = frame(numbered([Row(actor="cyd", source=6, kind=1, network=3, amount=7)]))
    frames = [PlacedFrame(first, 0, 10), PlacedFrame(second, 1, 20)]
    columns = {name: plain(values) for name, values in interaction_columns(frames, log=8).items()}
    assert list(columns) == list(TABLES[INTERACTIONS])
    assert {name: values.dtype for name, values in columns.items()} == {
        name: dtype_of(INTERACTIONS, name) for name in columns
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    assert rows[2] == {
        "log": 8,
        "at": 1000 * HOUR + 17,
        "hour": 1000,
        "received_at": 1000 * HOUR + 99,
        "kind": "mention",
        "network": "googleplus",
        "actor": "cyd",
        "target": "twitter:zoe",
        "object": "",
        "class": 3,
        "weight": 2 * 512 * 7,
        "amount": 7,
        "undo": False,
        "engager": hash64("cyd"),
        "id": hash64("6 0"),
        "record": 0,
        "undone_at": 0,
        "whole_record": False,
        "model": 1,
        "source_topic": "interactions.mention",
        "source_partition": 1,
        "source_offset": 0,
        "part": 0,
        "weighed_partition": 1,
        "weighed_offset": 20,
    }
    assert [row["undo"] for row in rows] == [False, True, False]
    assert [row["weighed_offset"] for row in rows] == [10, 10, 20]
    assert [row["source_topic"] for row in rows] == ["interactions.like"] * 2 + [
        "interactions.mention"
    ]


def test_a_dead_letter_fills_every_column() -> None:
    columns = letter_columns([PlacedLetter(LETTER, 0, 4)], log=8)
    assert list(columns) == list(TABLES[DEAD_LETTERS])
    assert columns["value"] == [b"\xff{"]
    assert columns["key"] == [b""]


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"\xff\xfe", b'{"reason":"\xff"}', b"[1]"])
def test_noise_is_neither_a_letter_nor_a_frame(data: bytes) -> None:
    for read in (read_letter, read_frame):
        with pytest.raises(ValueError, match=r"."):
            read(data)


@pytest.mark.parametrize("values", [{"offset": 1 << 63}, {"partition": -1}, {"at": -(1 << 70)}])
def test_a_letter_that_cannot_be_stored_is_refused(values: dict[str, int]) -> None:
    assert read_letter(msgspec.json.encode(LETTER)) == LETTER
    with pytest.raises(ValueError, match=r"."):
        read_letter(msgspec.json.encode(msgspec.to_builtins(LETTER) | values))


def frame_with(**values: object) -> bytes:
    row = (0, 0, HOUR, HOUR, 3, 0, "a", "twitter:b", None, 3, 1536, 1, False, 1, 2, 0, 0, False)
    names = [column.name for column in ROW_SCHEMA]
    header = FrameHeader(topic=Topic.LIKE, partition=0, first=0, last=0, clock=0, model=1)
    full = dict(zip(names, row, strict=True)) | {k: v for k, v in values.items() if k in names}
    rest = {k: v for k, v in values.items() if k not in names}
    return Frame(
        msgspec.structs.replace(header, **rest), columns_of([tuple(full.values())])
    ).encode()


@pytest.mark.parametrize(
    "values",
    [
        {"kind": 6},
        {"network": 250},
        {"at": -1},
        {"partition": -1},
        {"model": 1 << 16},
        {"totals": {"accepted": -1}},
    ],
)
def test_a_frame_that_cannot_be_stored_is_refused(values: dict[str, object]) -> None:
    assert len(read_frame(frame_with())) == 1
    with pytest.raises(ValueError, match=r"."):
        read_frame(frame_with(**values))


def test_a_damaged_frame_is_refused_or_read_but_never_breaks_the_reader() -> None:
    data = frame(numbered([Row(actor=f"a{i}") for i in range(20)])).encode()
    rng = random.Random(5)
    refused = 0
    for _ in range(500):
        damaged = bytearray(data[: rng.randrange(1, len(data) + 1)])
        for _ in range(rng.randrange(4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            read_frame(bytes(damaged))
        except ValueError:
            refused += 1
    assert refused > 250


def test_what_cannot_be_read_keeps_its_bytes_and_place() -> None:
    record = Record(9, HOUR, b"k", b"\x00\x01", (("h", b"v"),))
    placed = unreadable(Topic.WEIGHED, 2, record, ValueError("no\nframe"))
    letter = placed.letter
    assert (placed.partition, placed.offset) == (-1, -1)
    assert (letter.reason, letter.detail) == ("unreadable weighed", "no frame")
    assert (letter.topic, letter.partition, letter.offset) == ("weighed", 2, 9)
    assert (letter.key, letter.value, letter.size) == (b"k", b"\x00\x01", 2)


def test_moments_are_integers_in_milliseconds() -> None:
    assert dtype_of(INTERACTIONS, "at") == np.dtype(np.int64)
