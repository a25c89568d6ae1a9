"""Dead letters in ClickHouse: what there is of them, and which can be published again."""
# ruff: noqa: S608 (what is put into the texts is ours; values are passed as parameters)

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from schemas.topics import INTERACTION_TOPICS, Topic
from streams.core.weigh import LARGEST_KEPT_KEY
from streams.sinks.client import Database

PUBLIC: Final = (*INTERACTION_TOPICS, Topic.POSTS, Topic.ACCOUNTS, Topic.IDENTITIES)
"""Topics that agents publish to; only what came from one of them can be published again."""

REPLAYED: Final = "renown-replayed"
"""Header of a record that was published again: how often it was by now."""

MOST_REPLAYS: Final = 3
"""More often a record is published again only by force: it dies of something else."""

_BATCH: Final = 200
"""Letters read at once; each may hold 256 KiB."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters; empty values: all.

    ``since``: ms UTC, by the timestamp of the record. ``stored_by``: seconds since 1970 on the
    clock of ClickHouse, by which the letter had been stored.
    """

    reason: str = ""
    topic: str = ""
    since: int = 0
    stored_by: int = 0

    @property
    def where(self) -> str:
        """The condition in SQL, for the values of ``values``."""
        return (
            "(%(reason)s = '' OR reason IN (%(reason)s, %(spaced)s))"
            " AND (%(topic)s = '' OR source_topic = %(topic)s)"
            " AND at >= fromUnixTimestamp64Milli(%(since)s)"
            " AND (%(stored_by)s = 0 OR inserted <= toDateTime(%(stored_by)s))"
        )

    @property
    def values(self) -> dict[str, Any]:
        """Values of ``where``. A reason may be written with - for each space."""
        return {
            "reason": self.reason,
            "spaced": self.reason.replace("-", " "),
            "topic": self.topic,
            "since": self.since,
            "stored_by": self.stored_by,
        }


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter. ``value``: the bytes of the record, or the beginning of a large one."""

    log: int
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    at: datetime
    size: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    @property
    def place(self) -> tuple[int, str, int, int]:
        """Log, topic, partition and offset of the record."""
        return self.log, self.topic, self.partition, self.offset

    @property
    def replays(self) -> int:
        """How often this record had been published again before it became this letter."""
        text = dict(self.headers).get(REPLAYED, b"")
        return int(text) if text.isdigit() and len(text) < 10 else 0

    @property
    def obstacle(self) -> str:
        """Why it cannot be published as it was; empty if it can."""
        if self.topic not in _PUBLIC_NAMES:
            return "internal topic"
        if self.size > len(self.value):
            return "value was cut"
        if len(self.key) >= LARGEST_KEPT_KEY:
            return "key was cut"
        return ""


@dataclass(frozen=True, slots=True)
class Summary:
    """Letters of one reason and topic. ``example``: the detail of the newest."""

    reason: str
    topic: str
    letters: int
    oldest: datetime
    newest: datetime
    replayed: int
    example: str


_PUBLIC_NAMES: Final = frozenset(topic.value for topic in PUBLIC)
_COLUMNS: Final = (
    "log, reason, detail, source_topic, source_partition, source_offset, at, size, key, value,"
    " headers"
)
_PLACE: Final = "log, source_topic, source_partition, source_offset"


def count_letters(db: Database, wanted: Filter) -> int:
    """How many letters there are."""
    sql = f"SELECT count() FROM dead_letters FINAL WHERE {wanted.where}"
    return int(db.query(sql, wanted.values)[0][0])


def count_replayed(db: Database, wanted: Filter) -> int:
    """How many records among the letters were published again already."""
    sql = (
        f"SELECT uniqExact({_PLACE}) FROM dead_letters FINAL WHERE {wanted.where}"
        f" AND ({_PLACE}) IN (SELECT {_PLACE} FROM dead_letter_replays)"
    )
    return int(db.query(sql, wanted.values)[0][0])


def database_time(db: Database) -> int:
    """Seconds since 1970 on the clock of ClickHouse."""
    return int(db.query("SELECT toUnixTimestamp(now())")[0][0])


def newest_letters(db: Database, wanted: Filter, limit: int) -> list[StoredLetter]:
    """Letters, the newest first."""
    rows = db.query(
        f"SELECT {_COLUMNS} FROM dead_letters FINAL WHERE {wanted.where}"
        " ORDER BY log DESC, at DESC, source_topic, source_partition, source_offset DESC"
        " LIMIT %(limit)s",
        {**wanted.values, "limit": limit},
    )
    return [_letter(row) for row in rows]


def summarize(db: Database, wanted: Filter) -> list[Summary]:
    """Letters by reason and topic, the most frequent first."""
    rows = db.query(
        "SELECT reason, source_topic, count() AS letters, min(at), max(at),"
        f" countIf(({_PLACE}) IN (SELECT {_PLACE} FROM dead_letter_replays)),"
        " argMax(detail, at)"
        f" FROM dead_letters FINAL WHERE {wanted.where}"
        " GROUP BY reason, source_topic ORDER BY letters DESC, reason, source_topic",
        wanted.values,
    )
    return [Summary(*row) for row in rows]


def waiting_letters(db: Database, wanted: Filter, *, again: bool) -> Iterator[StoredLetter]:
    """Letters in the order of their places, one a record; those replayed before only ``again``.

    Read in batches, so that any number of them fits into memory.
    """
    new = "" if again else f" AND ({_PLACE}) NOT IN (SELECT {_PLACE} FROM dead_letter_replays)"
    after: tuple[int, str, int, int] = (0, "", 0, -1)
    while True:
        rows = db.query(
            f"SELECT {_COLUMNS} FROM dead_letters FINAL WHERE {wanted.where}{new}"
            f" AND ({_PLACE}) > (%(log)s, %(after)s, %(partition)s, %(offset)s)"
            f" ORDER BY {_PLACE} LIMIT 1 BY {_PLACE} LIMIT {_BATCH}",
            {
                **wanted.values,
                "log": after[0],
                "after": after[1],
                "partition": after[2],
                "offset": after[3],
            },
        )
        for row in rows:
            yield (letter := _letter(row))
            after = letter.place
        if len(rows) < _BATCH:
            return


def note_replays(db: Database, letters: list[StoredLetter]) -> None:
    """Remember that ``letters`` were published again and acknowledged."""
    db.insert_lists(
        "dead_letter_replays",
        {
            "log": [letter.log for letter in letters],
            "source_topic": [letter.topic for letter in letters],
            "source_partition": [letter.partition for letter in letters],
            "source_offset": [letter.offset for letter in letters],
            "replays": [letter.replays + 1 for letter in letters],
            "replayed": [datetime.now(UTC).replace(tzinfo=None)] * len(letters),
        },
    )


def _letter(row: tuple[Any, ...]) -> StoredLetter:
    log, reason, detail, topic, partition, offset, at, size, key, value, headers = row
    return StoredLetter(
        log,
        reason,
        detail,
        topic,
        partition,
        offset,
        at,
        size,
        _bytes(key),
        _bytes(value),
        tuple((name, _bytes(content)) for name, content in headers),
    )


def _bytes(value: str | bytes) -> bytes:
    """The driver gives text where bytes happen to be valid UTF-8."""
    return value.encode() if isinstance(value, str) else value
