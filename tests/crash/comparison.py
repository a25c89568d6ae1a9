"""What the topics and ClickHouse hold, against what the judge says."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_driver import Client
from kafka.consumer.fetcher import ConsumerRecord

from tests.crash.judge import POST, POSTS, Judge, Place, Row, Standing, Verdict, standing
from tests.crash.kinds import compare_kinds
from tests.crash.load import KINDS
from tests.support.stack import read_topic

_SHOWN = 5
_EXACT_ENGAGERS = 4096
"""As decision 0018 has it, not as the engine says: the judge takes nothing from that."""


class Comparison(NamedTuple):
    """``differences``: a few words on each; none if everything is as it should be."""

    records: int
    rows: int
    accounts: int
    differences: list[str]


def compare(
    kafka: str, clickhouse: Client, partitions: int, files: Path | None = None
) -> Comparison:
    """Read everything that was published and all that came of it.

    ``files``: where checkpoints are kept, if not in the changelog.
    """
    judge = Judge(partitions)
    records = 0
    for topic in (*(f"interactions.{kind}" for kind in KINDS), POSTS):
        for record in read_topic(kafka, topic):
            judge.hear((record.topic, record.partition, record.offset), record.value)
            records += 1
    verdict, newest = judge.verdict, _newest(read_topic(kafka, "scores"))
    differences = [
        *_in_rows(verdict, clickhouse),
        *_in_dead_letters(verdict, clickhouse),
        *_in_scores(verdict, newest, _places_of_posts(clickhouse)),
        *_in_stored_scores(newest, clickhouse),
    ]
    if not differences:  # it takes longest, and would say the same again
        ends = {each.partition: each.offset + 1 for each in read_topic(kafka, "weighed")}
        differences = _shortened(
            "checkpoints", compare_kinds(kafka, files, verdict, partitions, ends)
        )
    rows = sum(map(len, verdict.rows.values()))
    return Comparison(records, rows, len(newest), differences)


def _newest(records: list[ConsumerRecord]) -> dict[str, dict[str, Any]]:
    """Profile → its update of the highest epoch and sequence."""
    newest: dict[str, dict[str, Any]] = {}
    for record in records:
        if record.value is None:
            continue
        update = json.loads(record.value)
        held = newest.get(update["profile"])
        if held is None or _order(update) > _order(held):
            newest[update["profile"]] = update
    return newest


def _order(update: dict[str, Any]) -> tuple[int, int]:
    return update["epoch"], update["sequence"]


def _in_rows(verdict: Verdict, clickhouse: Client) -> list[str]:
    """Each row of the view once, with the judge's values; parts count from 0."""
    held = defaultdict(list)
    parts = defaultdict(list)
    for topic, partition, offset, part, *row in clickhouse.execute(
        "SELECT source_topic, source_partition, source_offset, part,"
        " toUnixTimestamp64Milli(at), kind, network, actor, target, weight, amount, undo"
        " FROM weighed_rows"
    ):
        held[topic, partition, offset].append((*row[:-1], bool(row[-1])))
        parts[topic, partition, offset].append(part)
    found = [
        f"row {place}: parts {p}" for place, p in parts.items() if sorted(p) != [*range(len(p))]
    ]
    for place in held.keys() | verdict.rows.keys():
        mine, theirs = sorted(verdict.rows.get(place, [])), sorted(held.get(place, []))
        if mine != theirs:
            found.append(f"row {place}: {theirs} instead of {mine}")
    return _shortened("rows", found)


def _in_dead_letters(verdict: Verdict, clickhouse: Client) -> list[str]:
    rows = clickhouse.execute(
        "SELECT source_topic, source_partition, source_offset FROM dead_letters FINAL"
    )
    places = [tuple(row) for row in rows]
    found = [f"dead letter {place} is missing" for place in verdict.dead - set(places)]
    found += [f"dead letter {place} for a good record" for place in set(places) - verdict.dead]
    found += ["a dead letter is there twice"] * (len(places) - len(set(places)))
    return _shortened("dead letters", found)


def _places_of_posts(clickhouse: Client) -> dict[Place, int]:
    """Where each own post lies in ``weighed``, by the place of its record."""
    return {
        place: offset
        for *place_of, offset in clickhouse.execute(
            "SELECT source_topic, source_partition, source_offset, weighed_offset FROM own_posts"
        )
        for place in [tuple(place_of)]
    }


def _up_to(
    verdict: Verdict, position: dict[str, int], posts: dict[Place, int]
) -> dict[str, list[Row]]:
    """Rows by account, of own posts those that its last update includes.

    One that comes later and leaves the score as it is makes no update, and nothing tells of it.
    """
    rows: dict[str, list[Row]] = defaultdict(list)
    for place, given in verdict.rows.items():
        for row in given:
            if row.kind != POST or posts.get(place, 0) <= position.get(row.target, -1):
                rows[row.target].append(row)
    return rows


def _in_scores(
    verdict: Verdict, newest: dict[str, dict[str, Any]], posts: dict[Place, int]
) -> list[str]:
    """The last update of each account, told again from its rows at the update's clock."""
    positions = {account: update["position"] for account, update in newest.items()}
    accounts = {
        account: rows
        for account, rows in _up_to(verdict, positions, posts).items()
        if any(row.kind != POST for row in rows)
    }
    found = [f"{account} has no score" for account in accounts.keys() - newest.keys()]
    found += [f"{account} has a score of nothing" for account in newest.keys() - accounts.keys()]
    clocks: dict[int, int] = defaultdict(int)
    for update in newest.values():
        partition = update["partition"]
        clocks[partition] = max(clocks[partition], update["clock"])
    for account in accounts.keys() & newest.keys():
        update, rows = newest[account], accounts[account]
        said = _said(update)
        level = update.get("level", 0)
        mine = standing(rows, update["clock"], level)
        # Nothing is published where a change leaves sums and score as they were: one interaction
        # taken back and another one added. Momentum alone is no reason either; it goes with time.
        at_end = standing(rows, clocks[update["partition"]], level)
        if said != mine and said != at_end._replace(momentum=said.momentum):
            found.append(f"{account} at {update['clock']}: {said} instead of {mine}")
        engagers = {(row.network, row.actor) for row in rows if row.kind != POST}
        if level and len(engagers) <= _EXACT_ENGAGERS:
            found.append(f"{account} is sampled without need")
    return _shortened("scores", found)


def _said(update: dict[str, Any]) -> Standing:
    return Standing(
        update["score"],
        update["bits"],
        update["influence"],
        update["momentum"],
        tuple(update["weights"]),
        tuple(update["interactions"]),
        tuple(update["engagers"]),
    )


def _in_stored_scores(newest: dict[str, dict[str, Any]], clickhouse: Client) -> list[str]:
    held = {
        profile: tuple(rest)
        for profile, *rest in clickhouse.execute(
            "SELECT profile, epoch, sequence, score FROM score_now"
        )
    }
    found = []
    for profile in held.keys() | newest.keys():
        update = newest.get(profile)
        mine = (update["epoch"], update["sequence"], update["score"]) if update else None
        if held.get(profile) != mine:
            found.append(f"stored score of {profile}: {held.get(profile)} instead of {mine}")
    return _shortened("stored scores", found)


def _shortened(what: str, found: list[str]) -> list[str]:
    if len(found) <= _SHOWN:
        return found
    return [*found[:_SHOWN], f"... {len(found)} differences in {what}"]
