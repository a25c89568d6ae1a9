"""Publishing dead letters again: which of them can be, and doing it.

What is published is what was published: value, key and headers, in front of which one says how
often. Ids make it harmless if a record counts already. Letters are noted in ClickHouse once they
are acknowledged; one that was noted is left out, so a run that was interrupted goes on.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from agents.outlet import Outlet
from renown.letters import MOST_REPLAYS, REPLAYED, StoredLetter
from schemas.topics import Topic

AT_ONCE: Final = 200
"""Letters that are published before the acknowledgement of all of them is waited for."""


@dataclass(slots=True)
class Plan:
    """What a replay would do. ``refused``: why → records; ``topics``, ``reasons``: of the rest."""

    records: int = 0
    bytes: int = 0
    topics: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    refused_places: list[str] = field(default_factory=list)


def refusal(letter: StoredLetter, *, force: bool) -> str:
    """Why ``letter`` is not published again; empty if it is."""
    if letter.obstacle:
        return letter.obstacle
    if letter.replays >= MOST_REPLAYS and not force:
        return f"replayed {MOST_REPLAYS} times before"
    return ""


def make_plan(
    letters: Iterable[StoredLetter], *, limit: int | None, force: bool, named: int = 20
) -> Plan:
    """Count what a replay of at most ``limit`` records would do; the first ``named`` refused."""
    plan = Plan()
    for letter in letters:
        if limit is not None and plan.records >= limit:
            break
        if why := refusal(letter, force=force):
            plan.refused[why] = plan.refused.get(why, 0) + 1
            if len(plan.refused_places) < named:
                place = f"{letter.topic} {letter.partition}:{letter.offset}"
                plan.refused_places.append(f"{place} ({why})")
            continue
        plan.records += 1
        plan.bytes += len(letter.value)
        plan.topics[letter.topic] = plan.topics.get(letter.topic, 0) + 1
        plan.reasons[letter.reason] = plan.reasons.get(letter.reason, 0) + 1
    return plan


def replay_letters(
    letters: Iterable[StoredLetter],
    outlet: Outlet,
    note: Callable[[list[StoredLetter]], None],
    *,
    limit: int,
    force: bool,
    tell: Callable[[int], None] = lambda _: None,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Publish at most ``limit`` of ``letters`` again; how many were.

    ``note`` gets those that the broker has acknowledged, ``tell`` how many these are so far.
    Raises what the outlet and ``note`` raise; what was noted before stays published.
    """
    wanted = islice((one for one in letters if not refusal(one, force=force)), limit)
    published = 0
    for batch in _batches(wanted):
        if stopping():
            break
        for letter in batch:
            outlet.publish_raw(
                Topic(letter.topic), letter.key or None, letter.value or None, headers_of(letter)
            )
        outlet.flush()
        note(batch)
        published += len(batch)
        tell(published)
    return published


def headers_of(letter: StoredLetter) -> list[tuple[str, bytes]]:
    """The headers of the record, after one that counts this replay.

    It comes first: where a record dies again and has too many headers, the last are left out.
    """
    others = [header for header in letter.headers if header[0] != REPLAYED]
    return [(REPLAYED, str(letter.replays + 1).encode()), *others]


def _batches(letters: Iterator[StoredLetter]) -> Iterator[list[StoredLetter]]:
    while batch := list(islice(letters, AT_ONCE)):
        yield batch
