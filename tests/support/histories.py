"""Hypothesis strategies: invented histories of interactions and undos."""

from itertools import pairwise

from hypothesis import strategies as st

from schemas.kinds import POST
from tests.support.weighed import MODEL, Row

NOW = 6000
EDGES = [h + d for h in (0, *MODEL.horizons_h) for d in (-1, 0, 1)]


def hours(low: int = -3) -> st.SearchStrategy[int]:
    """Hours around ``NOW``: mostly close to the edge of a horizon, some ahead."""
    return st.one_of(st.sampled_from(EDGES), st.integers(low, 2300)).map(lambda age: NOW - age)


interactions = st.builds(
    Row,
    actor=st.sampled_from(["ada", "ben", "cid", "dan"]),
    target=st.sampled_from(["twitter:zoe", "twitter:yan", "bluesky:xia"]),
    hour=hours(),
    kind=st.integers(0, 4),
    cls=st.integers(0, 6),
    network=st.sampled_from([0, 0, 13, 14]),
    amount=st.sampled_from([1, 1, 1, 4]),
    source=st.integers(0, 2),
)


posts = st.builds(
    lambda target, hour, network: Row(
        actor=target, target=target, hour=hour, kind=POST, network=network, source=-1
    ),
    target=st.sampled_from(["twitter:zoe", "twitter:yan", "bluesky:xia", "twitter:wim"]),
    hour=hours(),
    network=st.sampled_from([0, 13]),
)
"""Own posts, also of one who receives nothing."""

rows = st.one_of(interactions, interactions, posts)


@st.composite
def histories(draw: st.DrawFn, max_size: int = 40) -> list[Row]:
    """Interactions and own posts in any order of time, some of them undone later."""
    first = draw(st.lists(rows, max_size=max_size))
    undone = draw(st.sets(st.sampled_from(range(len(first))))) if first else set()
    order = draw(st.permutations([*range(len(first)), *undone]))
    seen: set[int] = set()
    history = []
    for number in order:
        history.append(first[number].undone if number in seen else first[number])
        seen.add(number)
    return history


@st.composite
def batches(draw: st.DrawFn, history: list[Row]) -> list[list[Row]]:
    """The history cut into batches."""
    size = len(history)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, size - 1)), max_size=8)) | {0, size})
    return [history[a:b] for a, b in pairwise(cuts)]
