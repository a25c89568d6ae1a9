"""Databases of their own for tests of the sink, and records as the sink reads them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count

import msgspec

from config.settings import ClickHouseAddress
from schemas.frames import Frame
from schemas.model import load_model
from schemas.score import ScoreUpdate
from schemas.topics import Topic
from streams.core.records import Record, RecordColumns
from streams.core.score import ScorePartition
from streams.sinks.client import Database
from streams.sinks.migrate import migrate
from streams.sinks.writer import Writer

LOG = 1 << 40
PUBLISHED = 1_700_000_000_000
_numbers = count(1)


def fresh_address(url: str) -> ClickHouseAddress:
    """A database on the server at ``url`` that no other test has; it does not exist yet."""
    address = ClickHouseAddress.parse(url)
    address.database = f"renown_test_{os.getpid()}_{next(_numbers)}"
    return address


@contextmanager
def fresh_database(url: str) -> Iterator[Database]:
    """A migrated database of its own."""
    with Database(fresh_address(url)) as db:
        migrate(db)
        try:
            yield db
        finally:
            db.run(f"DROP DATABASE `{db.address.database}`")


def writer_of(db: Database, log: int = LOG) -> Writer:
    """An open writer of the database."""
    writer = Writer(db.address, log)
    writer.open()
    return writer


def records(values: Sequence[bytes | Frame | msgspec.Struct], start: int = 0) -> list[Record]:
    """Values as records with the offsets ``start``, ``start + 1`` ..."""
    result = []
    for offset, value in enumerate(values, start):
        if isinstance(value, Frame):
            body = value.encode()
        elif isinstance(value, bytes):
            body = value
        else:
            body = msgspec.json.encode(value)
        result.append(Record(offset, PUBLISHED + offset, None, body))
    return result


def add(writer: Writer, topic: Topic, partition: int, batch: Sequence[Record]) -> None:
    """Give a batch to a writer that has claimed the partition."""
    writer.add(topic, partition, RecordColumns.of(batch), batch[-1].offset)


def store(writer: Writer, topic: Topic, values: Sequence[bytes | Frame | msgspec.Struct]) -> None:
    """Claim partition 0 of ``topic``, store all values and flush."""
    start = writer.claim(topic, 0)
    add(writer, topic, 0, records(values, start))
    writer.flush()


def scored(
    frames: Sequence[Frame], partition: int = 0, *, exact_engagers: bool = True
) -> list[ScoreUpdate]:
    """What the score worker says at the end of the frames of one partition of ``weighed``."""
    state = ScorePartition(partition, load_model(), once=True, exact_engagers=exact_engagers)
    state.epoch = 1
    for offset, each in enumerate(frames):
        state.apply(each, offset, now=float(offset))
    return list(state.updates(float(len(frames)), everything=True))
