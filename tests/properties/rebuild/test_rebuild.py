"""Laws of a rebuild: what comes after it gives the same as if no log had ever ended."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.score import ScoreUpdate
from streams.core.emission import MOVED
from tests.support.interactions import HOUR, NOON, interaction
from tests.support.past_story import Story
from tests.support.past_world import Message, World, content

seeds = st.integers(0, 1 << 32)
sizes = st.integers(0, 80)
some = settings(max_examples=12)


def feed(world: World, messages: list[Message], step: int = 13) -> list[ScoreUpdate]:
    updates = []
    for first in range(0, len(messages), step):
        world.publish(messages[first : first + step])
        updates += world.run()
    return updates


def counting(world: World) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Cells that hold anything. What meets its undo at once leaves no trace, which else it does."""
    return {cell: held[:4] for cell, held in content(world).items() if any(map(any, held[1][-1]))}


def clocks(world: World) -> list[tuple[int, dict[Any, int]]]:
    return [(state.clock, state._clock.sources) for state in world.score]


def nothing_again(updates: list[ScoreUpdate]) -> set[str]:
    """Nothing that was said is said again; the profiles of which something new is said.

    That happens where rows that cancelled each other came after the last update: then what time
    alone has changed since is said, though it is too little to be said otherwise.
    """
    assert all(0 < abs(update.change) < MOVED for update in updates)
    return {update.profile for update in updates}


def said(updates: Iterable[ScoreUpdate]) -> list[tuple[Any, ...]]:
    """The updates of each profile, but for the places in a log that they name."""
    ordered = sorted(updates, key=lambda u: u.profile)
    return [
        (u.profile, u.clock, u.score, u.change, u.cause, u.momentum, u.influence, u.bits,
         u.weights, u.interactions, u.engagers)
        for u in ordered
    ]  # fmt: skip


def last_scores(world: World) -> dict[str, int]:
    """The score of each profile once everything is said, beside what is stored of before."""
    updates = [each.update for before in world.before for each in before.scores] + world.updates
    updates += [u for state in world.score for u in state.updates(1e9, everything=True)]
    return {update.profile: update.score for update in updates}


def given_rows(world: World, since: int = 0) -> Counter[tuple[Any, ...]]:
    return Counter((row.source[0], row.kind, row.actor, *row.values) for row in world.rows[since:])


def outcomes(world: World, before: dict[str, int] | None = None) -> dict[str, int]:
    return {name: count - (before or {}).get(name, 0) for name, count in world.totals().items()}


@some
@given(seeds, sizes, sizes, st.sampled_from([1, 2, 3]))
def test_a_new_log_goes_on_as_the_old_one_would_have(
    seed: int, before: int, after: int, partitions: int
) -> None:
    story = Story(seed)
    old = World(partitions)
    # a source that is first heard later than others leaves no trace of when that was
    feed(old, [story.beat()])
    feed(old, story.messages(before))
    old.store()
    new = World(partitions, log=2, before=[old])
    new.rebuild()
    assert content(new) == content(old)
    assert clocks(new) == clocks(old)
    early = nothing_again(new.run())

    rows, totals = len(old.rows), old.totals()
    suffix = story.messages(after)
    updates, expected = feed(new, suffix), feed(old, suffix)
    assert said(u for u in updates if u.profile not in early) == said(
        u for u in expected if u.profile not in early
    )
    assert outcomes(new) == outcomes(old, totals)
    assert content(new) == content(old)
    assert clocks(new) == clocks(old)
    for world in (old, new):
        world.store()
    assert given_rows(new) == given_rows(old, rows)
    assert last_scores(new) == last_scores(old)


@some
@given(seeds, sizes, sizes, st.sampled_from([(1, 3), (3, 2), (2, 5)]))
def test_another_number_of_partitions_changes_nothing(
    seed: int, before: int, after: int, partitions: tuple[int, int]
) -> None:
    story = Story(seed)
    prefix: list[Message] = [story.beat(), *story.messages(before), story.beat()]
    straight, old = World(partitions[1]), World(partitions[0])
    for world in (straight, old):
        feed(world, prefix)
        world.store()
    new = World(partitions[1], log=2, before=[old])
    new.rebuild()
    assert content(new) == content(straight)
    nothing_again(new.run())

    rows, totals = len(straight.rows), straight.totals()
    suffix: list[Message] = [*story.messages(after), story.beat()]
    for world in (straight, new):
        feed(world, suffix)
        world.store()
    assert outcomes(new) == outcomes(straight, totals)
    assert given_rows(new) == given_rows(straight, rows)
    assert content(new) == content(straight)
    assert clocks(new) == clocks(straight)
    assert last_scores(new) == last_scores(straight)


@some
@given(seeds, st.lists(st.integers(0, 40), min_size=3, max_size=5), st.booleans())
def test_one_rebuild_after_another(seed: int, parts: list[int], change: bool) -> None:
    story = Story(seed)
    worlds: list[World] = []
    straight = World(2)
    for number, count in enumerate(parts):
        partitions = 3 if change and number == 1 else 2
        world = World(partitions, log=number + 1, before=worlds)
        if worlds:
            world.rebuild()
            nothing_again(world.run())
        # what is late depends on what else was in the partition, unless all heard the time
        messages: list[Message] = [story.beat(), *story.messages(count), story.beat()]
        feed(world, messages)
        feed(straight, messages)
        world.store()
        worlds = [*worlds, world]
    straight.store()
    everything = sum((given_rows(world) for world in worlds), Counter())
    assert everything == given_rows(straight)
    assert content(worlds[-1]) == content(straight)
    assert last_scores(worlds[-1]) == last_scores(straight)


@some
@given(seeds, sizes, sizes, st.integers(4, 40))
def test_what_is_old_is_forgotten_when_it_would_have_been(
    seed: int, before: int, after: int, horizon: int
) -> None:
    story = Story(seed, repeats=False)
    old = World(1, horizon=horizon)
    feed(old, story.messages(before))
    old.store()
    new = World(1, log=2, horizon=horizon, before=[old])
    new.rebuild()
    totals = old.totals()
    suffix = story.messages(after)
    for world in (old, new):
        feed(world, suffix)
    assert outcomes(new) == outcomes(old, totals)
    assert content(new) == content(old)


@some
@given(seeds, sizes, sizes, st.data(), st.sampled_from([(2, 2), (2, 3)]))
def test_what_was_lost_with_a_log_counts_when_it_is_sent_again(
    seed: int, before: int, after: int, data: st.DataObject, partitions: tuple[int, int]
) -> None:
    story = Story(seed)
    prefix: list[Message] = [story.beat(), *story.messages(before), story.beat()]
    straight, old = World(partitions[1]), World(partitions[0])
    for world in (straight, old):
        feed(world, prefix)
    ends = {n: data.draw(st.integers(0, len(frames))) for n, frames in enumerate(old.weighed)}
    old.store(ends)
    # some of the last updates did not reach the sink
    old.scores = old.scores[: data.draw(st.integers(0, len(old.scores)))]
    new = World(partitions[1], log=2, before=[old])
    new.rebuild()
    suffix: list[Message] = [*story.messages(after), story.beat()]
    feed(straight, suffix)
    feed(new, prefix + suffix)
    assert counting(new) == counting(straight)
    scores, expected = last_scores(new), last_scores(straight)
    assert {name: score for name, score in scores.items() if score > 1000} == {
        name: score for name, score in expected.items() if score > 1000
    }


@some
@given(seeds, sizes, sizes, st.data(), st.booleans())
def test_a_log_whose_changelogs_are_lost_goes_on_where_the_sink_stands(
    seed: int, before: int, after: int, data: st.DataObject, continues: bool
) -> None:
    story = Story(seed)
    earlier = World(2)
    straight, world = World(2), World(2, before=[])
    if continues:
        prefix = story.messages(30)
        for each in (straight, earlier):
            feed(each, prefix)
            each.store()
        world = World(2, log=2, before=[earlier])
        world.rebuild()
    messages = story.messages(before)
    for each in (straight, world):
        feed(each, messages)
    ends = {n: data.draw(st.integers(0, len(frames))) for n, frames in enumerate(world.weighed)}
    world.store(ends)
    if any(ends.values()) or continues:
        world.rebuild()
    suffix: list[Message] = [*story.messages(after), story.beat()]
    for each in (straight, world):
        feed(each, suffix)
        each.store()
    rows = given_rows(world) + (given_rows(earlier) if continues else Counter())
    assert rows == given_rows(straight)
    assert content(world) == content(straight)
    assert clocks(world) == clocks(straight)
    assert not any(state.holes for state in world.score)
    if not continues:
        assert world.totals() == straight.totals()


def test_rows_of_another_layout_are_older_than_those_of_this_one() -> None:
    first = [interaction(id=f"a{n}", at=NOON + n) for n in range(30)]
    second = [interaction(id=f"b{n}", at=NOON + HOUR + n) for n in range(15)]
    old, middle = World(1, horizon=20), World(2, log=2, horizon=20)
    middle.before = [old]
    for world, messages in ((old, first), (middle, second)):
        world.publish(messages)
        world.run()
        world.store()
    new = World(2, log=3, horizon=20, before=[old, middle])
    new.rebuild()
    new.publish([first[-1], *second, first[0]])
    new.run()
    assert outcomes(new)["duplicate"] == 15 + 1
    assert outcomes(new)["accepted"] == 1, (
        "what is further back than twice the horizon is forgotten"
    )
