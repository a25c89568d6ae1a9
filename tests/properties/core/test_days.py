"""Laws of days: whatever the order of steps and wherever a crash falls, classes are the model's."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.topics import INTERACTION_TOPICS
from tests.support.days import ACCOUNTS, PARTITIONS, World, classes_expected, logs_of
from tests.support.oracle import load_oracle

Event = tuple[int, int, int, int]
Step = tuple[int, int, int, int]

_events = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 1, 5, 11, 24, 50, 800]),
        st.integers(-30, 0),
        st.integers(0, len(INTERACTION_TOPICS) - 1),
        st.integers(0, len(ACCOUNTS) - 1),
        st.integers(0, len(ACCOUNTS) - 1),
    ),
    min_size=1,
    max_size=60,
)
"""Hours since the event before, how late it is, kind, actor, target."""
_steps = st.lists(
    st.tuples(
        st.integers(0, 11),
        st.integers(0, PARTITIONS - 1),
        st.integers(0, len(INTERACTION_TOPICS) - 1),
        st.integers(1, 20),
    ),
    max_size=150,
)


def _arrived(drawn: list[tuple[int, int, int, int, int]]) -> list[Event]:
    hour, events = 30, []
    for passed, late, kind, actor, target in drawn:
        hour += passed
        events.append((hour + (late if late < -20 else 0), kind, actor, target))
    return events


def _take(world: World, step: Step) -> None:
    what, partition, topic, most = step
    if what <= 3:
        world.read(INTERACTION_TOPICS[topic], partition, most)
    elif what <= 5:
        world.score_frames(partition, most)
    elif what == 6:
        world.hear(partition)
    elif what == 7:
        world.turn(partition, crash=most > 15)
    elif what == 8:
        world.keep_weigh(partition)
    elif what == 9:
        world.keep_score(partition)
    elif what == 10:
        world.crash_weigh(partition)
    else:
        world.crash_score(partition)


@settings(deadline=None)
@given(drawn=_events, steps=_steps)
def test_classes_are_those_of_the_reference(
    test_data: Path, drawn: list[tuple[int, int, int, int, int]], steps: list[Step]
) -> None:
    logs = logs_of(_arrived(drawn))
    world = World(logs)
    for step in steps:
        _take(world, step)
    world.finish()
    assert world.classes() == classes_expected(logs, load_oracle(test_data))


@pytest.mark.parametrize("seed", [4, 11, 25, 30, 42, 51])
def test_classes_are_those_of_the_reference_in_a_dense_world(test_data: Path, seed: int) -> None:
    """Long histories in which early versions went wrong, each of them."""
    drawn = random.Random(seed)
    hour, events = 30, []
    for _ in range(150):
        leap = [800] if drawn.random() < 0.05 else []
        hour += drawn.choice([0, 0, 0, 1, 1, 5, 11, 24, *leap])
        late = drawn.randint(1, 30) if drawn.random() < 0.25 else 0
        actor = drawn.randrange(5), drawn.randrange(len(ACCOUNTS)), drawn.randrange(len(ACCOUNTS))
        events.append((hour - late, *actor))
    logs = logs_of(events)
    world = World(logs)
    for _ in range(1500):
        what = drawn.choice([*range(8)] * 6 + [8, 9, 10, 11])
        _take(world, (what, drawn.randrange(PARTITIONS), drawn.randrange(5), drawn.randint(1, 20)))
    world.finish()
    assert world.classes() == classes_expected(logs, load_oracle(test_data))
