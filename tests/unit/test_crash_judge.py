"""The judge of the crash tests against the engine's own core, where nothing crashes.

They share no code, so where they agree on what is hard, both say what is meant.
"""

import json
from collections import Counter

from schemas.model import load_model
from schemas.topics import SOURCE_TOPICS, Topic
from streams.core.records import Record
from streams.core.weigh import WeighSource
from tests.crash.formula import HORIZONS_H
from tests.crash.judge import HOUR_MS, POST, Judge, Row, standing
from tests.crash.load import Load, Published

_PARTITIONS = 4
_PUBLISHED = 1_800_000_000_000


def test_rows_are_those_of_the_core() -> None:
    load = Load("unit", _PARTITIONS)
    logs = in_logs(load.chunk(6_000))
    judge = Judge(_PARTITIONS)
    model, horizon = load_model(), 1 << 18
    counted = dead = undone = 0
    for (topic, partition), values in logs.items():
        source = WeighSource(topic, partition, _PARTITIONS, model, horizon)
        records = [Record(n, _PUBLISHED, None, value) for n, value in enumerate(values)]
        for record in records:
            judge.hear((topic.value, partition, record.offset), record.value)
        source.apply(records, len(records) - 1)
        counted += source.totals["accepted"]
        undone += source.totals["undone"]
        dead += source.totals["dead"]
    rows = [row for rows in judge.verdict.rows.values() for row in rows]
    assert counted == sum(not row.undo for row in rows) > 4_000
    retracted = sum(row.undo for row in rows)
    assert undone == retracted + judge.verdict.forestalled
    assert retracted > 200 < 2 * judge.verdict.forestalled
    assert dead == len(judge.verdict.dead) > 50
    assert judge.verdict.late > 20
    assert sum(row.kind == POST for row in rows) > 200


def test_every_number_of_a_standing_depends_on_each_row() -> None:
    rows = [
        Row(_PUBLISHED - n * 3_600_000, "retweet", "twitter", f"twitter:{n}", "t", 1536, 1, False)
        for n in range(5)
    ]
    whole = standing(rows, _PUBLISHED)
    without = standing(rows[1:], _PUBLISHED)
    assert whole.interactions == (5,) * len(HORIZONS_H)
    assert (whole.momentum, without.momentum) == (50, 50), "too young to have a pace"
    without = without._replace(momentum=0)
    assert all(mine != other for mine, other in zip(whole, without, strict=True))
    taken_back = standing([*rows, rows[0]._replace(undo=True)], _PUBLISHED)
    assert taken_back == standing(rows[1:], _PUBLISHED)
    own = Row(_PUBLISHED, POST, "twitter", "t", "t", 0, 1, False)
    posted = standing([*rows, own], _PUBLISHED)
    assert (posted.score < whole.score, posted[3:]) == (True, whole[3:])
    a_month_ago = rows[0]._replace(at=_PUBLISHED - 700 * 3_600_000)
    assert standing([*rows, a_month_ago], _PUBLISHED).momentum > whole.momentum


def test_the_load_is_the_same_for_the_same_seed() -> None:
    first, second, other = (Load(seed, _PARTITIONS).chunk(500) for seed in ("1", "1", "2"))
    assert first == second != other


def test_everything_that_is_hard_is_in_the_load() -> None:
    load, seen, found = Load("hard", _PARTITIONS), set[tuple[str, str]](), Counter[str]()
    told = [record.value for record in load.chunk(3_000) if record.value]
    for value in told[:-_PARTITIONS]:
        try:
            message = json.loads(value)
        except ValueError:
            continue
        at = message.get("at", 0)
        if not {"actor", "id"} <= message.keys():
            found["outdated heartbeats"] += message.get("clock", load.clock) < load.clock - HOUR_MS
            continue
        name = message["actor"], message["id"]
        if message.get("undo"):
            whole = "target" not in message and "record" in message
            found["undos of records"] += whole
            found["undos without target"] += "target" not in message and not whole
            found["undos before"] += name not in seen and "target" in message
            continue
        found["duplicates"] += name in seen
        found["late"] += at < load.clock - 3 * 24 * HOUR_MS
        found["ahead"] += at > message["received_at"]
        seen.add(name)
    assert min(found.values()) > 10, found
    assert len(found) == 7


def in_logs(records: list[Published]) -> dict[tuple[Topic, int], list[bytes | None]]:
    """The records by topic and partition, in their order."""
    logs: dict[tuple[Topic, int], list[bytes | None]] = {
        (topic, partition): [] for topic in SOURCE_TOPICS for partition in range(_PARTITIONS)
    }
    for record in records:
        logs[Topic(record.topic), record.partition].append(record.value)
    return logs
