"""The compiled formula and the compiled JSON against the plain ones, on random cells."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.model import load_model
from schemas.score import ScoreUpdate
from streams.core.emission import CAUSES, Decision
from streams.core.model import NEVER_H, evaluate, summed
from streams.core.updates import formula_of, standings_of, write
from streams.kernels.cells import NO_CELL, NO_CROWD, NO_FIRST, NO_HOUR, NO_POSTS, Cells
from streams.kernels.score_arrays import MOST_NARROW
from streams.kernels.updates import Common

MODEL = load_model()
FORMULA = formula_of(MODEL)
HORIZONS, CLASSES = len(MODEL.horizons_h), len(MODEL.class_weights)
NOW = 400_000
NAMES = ["twitter:1", "mastodon:zoë@example.org", 'bluesky:quo"te', "bluesky:back\\slash", "x:\t"]


def cells_of(seed: int, cells_per_account: list[int], most: int) -> Cells:
    """Accounts with so many cells each; sums up to ``most``."""
    dice, cells = np.random.default_rng(seed), sum(cells_per_account)
    sums = (cells, HORIZONS)
    engagers = 1 + min(most // 64, 1 << 20)
    nested = np.cumsum(dice.integers(0, engagers, (cells, HORIZONS, CLASSES)), axis=2)
    head = np.full(len(cells_per_account), NO_CELL, np.int32)
    following = np.full(cells, NO_CELL, np.int32)
    cell = 0
    for account, count in enumerate(cells_per_account):
        for _ in range(count):
            following[cell], head[account] = head[account], cell
            cell += 1
    names = [name.encode() for name in (NAMES * 3)[: len(cells_per_account)]]
    last = dice.integers(NOW - 2400, NOW + 1, cells).astype(np.int32)
    last[dice.random(cells) < 0.1] = NO_HOUR
    first = (last - dice.integers(0, 2200, cells)).astype(np.int32)
    first[last == NO_HOUR] = NO_FIRST
    posts = np.cumsum(dice.integers(0, 1 + min(most, 4000), (cells + 1, HORIZONS)), axis=1)
    poster = dice.permutation(cells + 1)[:cells].astype(np.int32)
    poster[dice.random(cells) < 0.5] = NO_POSTS
    interactions = np.cumsum(dice.integers(0, 1 + most // 128, sums), axis=1)
    distinct = np.cumsum(nested[:, :, ::-1], axis=1)
    # all that a crowd holds lies in it alone, and what is narrow in the cells alone
    crowds = np.concatenate([interactions[:, :, None], distinct], axis=2)
    crowded = (interactions.max(axis=1) >= 1 << 30) | (distinct.max(axis=(1, 2)) > MOST_NARROW)
    crowded |= dice.random(cells) < 0.2
    crowds[~crowded] = -7
    return Cells(
        weights=np.cumsum(dice.integers(0, 1 + most, sums), axis=1),
        interactions=np.where(crowded[:, None], -5, interactions).astype(np.int32),
        distinct=np.where(crowded[:, None, None], 77, distinct).astype(np.uint8),
        crowds=crowds,
        crowd=np.where(crowded, np.arange(cells), NO_CROWD).astype(np.int32),
        posts=posts.astype(np.int32),
        poster=poster,
        last=last,
        first=first,
        head=head,
        following=following,
        level=dice.integers(0, 3, len(head)).astype(np.uint8),
        names=np.frombuffer(b"".join(names), np.uint8),
        name_at=np.cumsum([0, *map(len, names)])[:-1].astype(np.int64),
        name_size=np.array(list(map(len, names)), np.uint16),
    )


@pytest.mark.parametrize("most", [3, 10_000, 1 << 40])
@given(st.integers(0, 1 << 32), st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_the_formula_is_the_plain_one(most: int, seed: int, cells_per_account: list[int]) -> None:
    cells = cells_of(seed, cells_per_account, most)
    accounts = np.arange(len(cells_per_account))
    found = standings_of(accounts, cells, NOW, FORMULA)
    owner = np.repeat(accounts, cells_per_account)
    weights = cells.weights.T
    crowded = (cells.crowd != NO_CROWD)[:, None, None]
    narrow = np.concatenate([cells.interactions[:, :, None], cells.distinct], axis=2)
    counts = np.where(crowded, cells.crowds, narrow)
    level = cells.level[owner].astype(np.int64)
    distinct = np.left_shift(counts[:, :, 1:].transpose(2, 1, 0), level, dtype=np.int64)
    last = np.full(len(accounts), NO_HOUR, np.int64)
    np.maximum.at(last, owner, cells.last)
    first = np.full(len(accounts), NOW, np.int64)
    np.minimum.at(first, owner, cells.first)
    posts = np.where(cells.poster == NO_POSTS, 0, cells.posts[cells.poster].T)
    plain = evaluate(
        weights, distinct, posts, owner, np.minimum(NOW - last, NEVER_H), NOW - first, MODEL
    )
    sums = np.concatenate([weights, counts[:, :, 0].T, distinct[0]])
    assert found.score.tolist() == plain.score.tolist()
    assert found.bits.tolist() == plain.bits.tolist()
    assert found.influence.tolist() == plain.influence.tolist()
    assert found.momentum.tolist() == plain.momentum.tolist()
    assert (
        found.sums.reshape(len(accounts), -1).T.tolist()
        == summed(sums, owner, len(accounts)).tolist()
    )


@given(st.integers(0, 1 << 32), st.integers(-99_000, 99_000), st.integers(0, 2))
def test_the_json_is_that_of_msgspec(seed: int, change: int, cause: int) -> None:
    cells = cells_of(seed, [1] * len(NAMES), 1 << 20)
    accounts = np.arange(len(NAMES))
    found = standings_of(accounts, cells, NOW, FORMULA)
    decision = Decision(accounts, np.full(len(NAMES), change), np.full(len(NAMES), cause))
    common = Common(1, NOW * 3_600_000 + 17, 3, 1 << 40, 2, 7)
    updates = write(accounts, decision, cells, found, common)
    assert updates.keys == [name.encode() for name in NAMES]
    assert updates.causes[CAUSES[cause]] == len(NAMES)
    for number, update in enumerate(updates):
        weights, interactions, engagers = (tuple(part) for part in found.sums[number].tolist())
        wanted = ScoreUpdate(
            profile=NAMES[number], score=int(found.score[number]), bits=int(found.bits[number]),
            momentum=int(found.momentum[number]), influence=int(found.influence[number]),
            weights=weights, interactions=interactions, engagers=engagers,
            level=int(cells.level[number]), change=change, cause=CAUSES[cause], model=1,
            clock=common.clock, partition=3, position=1 << 40, epoch=2, sequence=7 + number,
        )  # fmt: skip
        assert update == wanted
        assert updates.bodies[number] == msgspec.json.encode(wanted)
