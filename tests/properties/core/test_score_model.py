"""The formula against the reference implementation, and its laws."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from schemas.model import load_model
from streams.core import model as formula
from streams.core.arrays import Ints
from tests.support.oracle import load_oracle, model_file

MODEL = load_model()
H, C = len(MODEL.horizons_h), len(MODEL.class_weights)


@pytest.fixture(scope="module")
def oracle(test_data: Path) -> Any:
    return load_oracle(test_data)


def random_states(
    rng: np.random.Generator, nets: int, accounts: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """W[net, acc, hor], D[net, acc, hor, class], P[net, acc, hor], silent[acc] of all sizes."""
    shape = (nets, accounts, H)
    weights = (2 ** rng.uniform(0, 48, shape)).astype(np.int64) * (rng.random(shape) < 0.8)
    steps = (2 ** rng.uniform(0, 30, (*shape, C))).astype(np.int64) * (
        rng.random((*shape, C)) < 0.4
    )
    distinct = steps[..., ::-1].cumsum(-1)[..., ::-1]
    posts = (2 ** rng.uniform(0, 40, shape)).astype(np.int64) * (rng.random(shape) < 0.3)
    return weights, distinct, posts, rng.integers(0, 2400, accounts)


def ours(W: Ints, D: Ints, P: Ints, silent: Ints, known: Ints) -> formula.Standing:  # noqa: N803
    """The reference's arrays through our formula, cells in a shuffled order."""
    nets, accounts, _ = W.shape
    order = np.random.default_rng(5).permutation(nets * accounts)
    owner = np.tile(np.arange(accounts), nets)[order]
    by_cell = (a.reshape(nets * accounts, *a.shape[2:])[order] for a in (W, D, P))
    weights, distinct, posts = (np.ascontiguousarray(np.moveaxis(a, 0, -1)) for a in by_cell)
    return formula.evaluate(
        weights,
        np.ascontiguousarray(np.swapaxes(distinct, 0, 1)),
        posts,
        owner,
        silent,
        known,
        MODEL,
    )


@pytest.mark.parametrize("nets", [1, 2, 3, 22])
def test_equals_the_reference_to_the_thousandth(oracle: Any, nets: int) -> None:
    rng = np.random.default_rng(nets)
    W, D, P, silent = random_states(rng, nets, 3000)  # noqa: N806
    known = rng.integers(0, 3000, 3000)
    state = ours(W, D, P, silent, known)
    assert state.score.tolist() == oracle.score(W, D, P, silent).tolist()
    assert state.influence.tolist() == oracle.influence(W, D, P, silent).tolist()
    assert state.momentum.tolist() == oracle.momentum(W, known).tolist()


def test_equals_the_examples_of_the_model(oracle: Any, test_data: Path) -> None:
    golden = json.loads(model_file(test_data, "golden.json").read_text())
    for example in golden["examples"]:
        rows = np.array(example["rows"], np.int64).reshape(-1, 6)
        posts = np.array(example["posts"], np.int64).reshape(-1, 3).T
        weights, distinct, own, silent = oracle.aggregates(
            *rows.T, example["now"], 64, example["networks"], posts if posts.size else None
        )
        state = ours(weights, distinct, own, silent, np.zeros(64, np.int64))
        assert int(state.score[0]) == example["score"], example["name"]


cells = hnp.arrays(np.int64, (H, 3), elements=st.integers(0, 1 << 40))


@given(cells, st.integers(0, 1 << 40), st.integers(0, H - 1), st.integers(0, 2))
def test_more_weight_or_one_more_engager_never_lowers(
    weights: Ints, more: int, horizon: int, cell: int
) -> None:
    owner, silent, known = np.zeros(3, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64)
    distinct = np.stack([weights >> (8 + c) for c in range(C)])

    def score() -> int:
        return int(formula.evaluate(weights, distinct, 0, owner, silent, known, MODEL).score[0])

    before = score()
    weights = weights.copy()
    weights[horizon, cell] += more
    heavier = score()
    distinct[:4, horizon, cell] += 1
    assert before <= heavier <= score()


@given(st.lists(st.integers(1, (1 << 62) - 1), min_size=2, max_size=50))
def test_logarithm_never_falls(values: list[int]) -> None:
    logs = formula.ilog2(np.sort(np.array(values)), MODEL)
    assert (np.diff(logs) >= 0).all()
