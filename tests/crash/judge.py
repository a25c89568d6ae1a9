"""What must come of the records in the interaction topics, told by one plain pass over them.

Shares no code with the engine: parsing, hashing, partitioning and counting are its own. A source
is one topic-partition; what it says is decided by its own records in the order of their offsets.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import xxhash

from tests.crash.formula import (
    CLASS_WEIGHTS,
    HORIZONS_H,
    KIND_WEIGHTS,
    ORDINARY,
    Sums,
    momentum,
    score,
)

HOUR_MS: Final = 3_600_000
POSTS: Final = "posts"
"""The topic of own posts."""
_EARLIEST = 1_072_915_200_000
POST: Final = "post"
"""Kind of a row that is an own post: of its author with itself, of no weight, no interaction."""
_NEVER = -1

Source = tuple[str, int]
Place = tuple[str, int, int]
"""Topic, partition, offset."""


class Row(NamedTuple):
    """One interaction that counts, or one that is taken back (``undo``)."""

    at: int
    kind: str
    network: str
    actor: str
    target: str
    weight: int
    amount: int
    undo: bool


@dataclass
class _Known:
    """An interaction of which a source has heard: it counts while there is a ``row``."""

    newest: int = _NEVER
    undone: int = _NEVER
    row: Row | None = None
    record: str = ""


@dataclass
class _Source:
    clock: int = 0
    known: dict[tuple[str, str], _Known] = field(default_factory=dict)
    undone_records: dict[tuple[str, str], int] = field(default_factory=dict)
    counting: dict[tuple[str, str], set[tuple[str, str]]] = field(
        default_factory=lambda: defaultdict(set)
    )


@dataclass
class Verdict:
    """Rows by the place of their record, and the places of records that cannot be used."""

    rows: dict[Place, list[Row]] = field(default_factory=dict)
    dead: set[Place] = field(default_factory=set)
    duplicates: int = 0
    late: int = 0
    forestalled: int = 0
    """Interactions whose undo had come before."""

    def by_target(self) -> dict[str, list[Row]]:
        """Rows by the account that received them."""
        found: dict[str, list[Row]] = defaultdict(list)
        for rows in self.rows.values():
            for row in rows:
                found[row.target].append(row)
        return found


class Judge:
    """Reads sources record by record; give it those of each source in the order of offsets."""

    def __init__(self, partitions: int) -> None:
        self.verdict = Verdict()
        self._partitions = partitions
        self._sources: dict[Source, _Source] = defaultdict(_Source)

    def hear(self, place: Place, value: bytes | None) -> None:
        """Take in the record at ``place``."""
        source = self._sources[place[:2]]
        message = _parsed(value)
        if place[0] == POSTS and message is not None:
            author = message.get("author")
            message = {**message, "kind": POST, "actor": author, "target": author}
        if message is not None and set(message) <= {"v", "clock", "agent"} and "clock" in message:
            source.clock = max(source.clock, message["clock"])
        elif message is None or not self._usable(place, message):
            self.verdict.dead.add(place)
        else:
            source.clock = max(source.clock, message["at"])
            if message["actor"] == message.get("target") and message["kind"] != POST:
                return
            rows = (_undone if message.get("undo") else self._added)(source, message)
            if rows:
                self.verdict.rows[place] = rows

    def _usable(self, place: Place, message: Mapping[str, Any]) -> bool:
        for name, kind in (("id", str), ("kind", str), ("actor", str), ("at", int)):
            if type(message.get(name)) is not kind:
                return False
        target = message.get("target")
        return (
            place[0] == (POSTS if message["kind"] == POST else f"interactions.{message['kind']}")
            and (isinstance(target, str) or bool(message.get("undo")))
            and message["at"] >= _EARLIEST
            and partition_of(message["actor"], self._partitions) == place[1]
        )

    def _added(self, source: _Source, message: Mapping[str, Any]) -> list[Row]:
        at, actor, record = message["at"], message["actor"], message.get("record", "")
        key = (actor, message["id"])
        known = source.known.get(key)
        if known and (at <= known.newest or known.row):
            known.newest = max(known.newest, at)
            self.verdict.duplicates += 1
            return []
        undone = known.undone if known else _NEVER
        if record:
            undone = max(undone, source.undone_records.get((actor, record), _NEVER))
        if at <= undone:
            self.verdict.forestalled += 1
            source.known[key] = _Known(at, undone)
            return []
        if at // HOUR_MS < source.clock // HOUR_MS - HORIZONS_H[-1]:
            self.verdict.late += 1
            return []
        kind, amount = message["kind"], message.get("amount", 1)
        weight = KIND_WEIGHTS.get(kind, 0) * CLASS_WEIGHTS[ORDINARY] * amount
        row = Row(at, kind, message["network"], actor, message["target"], weight, amount, False)
        source.known[key] = _Known(at, _NEVER, row, record)
        if record:
            source.counting[actor, record].add(key)
        return [row]


def _undone(source: _Source, message: Mapping[str, Any]) -> list[Row]:
    at, actor, record = message["at"], message["actor"], message.get("record", "")
    if not record or message.get("target") is not None:
        return _undone_one(source, (actor, message["id"]), at)
    before = source.undone_records.get((actor, record), _NEVER)
    source.undone_records[actor, record] = max(before, at)
    keys = list(source.counting[actor, record])
    return [row for key in keys for row in _undone_one(source, key, at)]


def _undone_one(source: _Source, key: tuple[str, str], at: int) -> list[Row]:
    known = source.known.setdefault(key, _Known())
    if known.row is None:
        known.undone = max(known.undone, at)
        return []
    if known.newest > at:
        return []
    row, known.row, known.undone = known.row, None, at
    source.counting[key[0], known.record].discard(key)
    return [row._replace(undo=True)]


class Standing(NamedTuple):
    """What a score update says of an account; a number per horizon, summed over networks."""

    score: int
    bits: int
    influence: int
    momentum: int
    weights: tuple[int, ...]
    interactions: tuple[int, ...]
    engagers: tuple[int, ...]


def standing(rows: Iterable[Row], clock: int, level: int = 0) -> Standing:
    """Where ``rows`` of one account leave it at event time ``clock`` (ms).

    ``level``: only engagers whose hash has that many leading zero bits were counted.
    """
    now = clock // HOUR_MS
    live = standing_by_network(rows, now)
    sums = [_sums(found, now, level) for found in live.values()]
    hours = [
        row.at // HOUR_MS for counted in live.values() for row, _ in counted if row.kind != POST
    ]
    young = [hour for hour in hours if hour >= now - HORIZONS_H[-1]]
    found = score(sums, now - max(hours) if hours else HORIZONS_H[-1])
    weights, interactions, engagers = (
        tuple(map(sum, zip(*numbers, strict=True))) if numbers else (0,) * len(HORIZONS_H)
        for numbers in (
            [cell.weights for cell in sums],
            [cell.interactions for cell in sums],
            [[classes[0] for classes in cell.distinct] for cell in sums],
        )
    )
    pace = momentum(weights, now - min(young, default=now))
    return Standing(*found, pace, weights, interactions, engagers)


def standing_by_network(rows: Iterable[Row], now: int) -> dict[str, list[tuple[Row, int]]]:
    """Rows of one account that were not taken back and not ahead of hour ``now``, how often."""
    cells: dict[str, dict[Row, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        cells[row.network][row._replace(undo=False)] += -1 if row.undo else 1
    return {
        network: [(row, n) for row, n in found.items() if n and row.at // HOUR_MS <= now]
        for network, found in cells.items()
    }


def _sums(rows: list[tuple[Row, int]], now: int, level: int) -> Sums:
    weights, interactions, distinct, posts = [], [], [], []
    for hours in HORIZONS_H:
        inside = [(row, n) for row, n in rows if row.at // HOUR_MS >= now - hours]
        counted = [(row, n) for row, n in inside if row.kind != POST]
        posts.append(sum(n for row, n in inside if row.kind == POST))
        named = sampled((row.actor for row, _ in counted), level) << level
        weights.append(sum(n * row.weight for row, n in counted))
        interactions.append(sum(n for _, n in counted))
        # every actor is ordinary so far
        distinct.append([named if class_ <= ORDINARY else 0 for class_ in range(7)])
    return Sums(weights, interactions, distinct, posts)


def sampled(actors: Iterable[str], level: int) -> int:
    """How many different actors have a hash with ``level`` leading zero bits."""
    return sum(not hash64(actor) >> (64 - level) for actor in set(actors))


def hash64(text: str) -> int:
    """xxHash64 of UTF-8 bytes; never 0."""
    return xxhash.xxh64(text.encode()).intdigest() or 1


def partition_of(account: str, partitions: int) -> int:
    """As Java's default partitioner chooses: murmur2."""
    data = account.encode()
    mix, mask = 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ len(data)) & mask
    for i in range(0, len(data) - 3, 4):
        k = (int.from_bytes(data[i : i + 4], "little") * mix) & mask
        k = ((k ^ (k >> 24)) * mix) & mask
        h = ((h * mix) & mask) ^ k
    tail = data[len(data) // 4 * 4 :]
    if tail:
        h = ((h ^ int.from_bytes(tail, "little")) * mix) & mask
    h = ((h ^ (h >> 13)) * mix) & mask
    h ^= h >> 15
    return (h & 0x7FFFFFFF) % partitions


def _parsed(value: bytes | None) -> dict[str, Any] | None:
    try:
        message = json.loads(value or b"")
    except ValueError:
        return None
    return message if isinstance(message, dict) else None
