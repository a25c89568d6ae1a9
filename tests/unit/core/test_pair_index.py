"""Pairs by hash: the numbers a dictionary would give, in order of appearance."""

import numpy as np
import pytest

from streams.core.engagers import Engagers


@pytest.mark.parametrize("seed", range(6))
def test_it_numbers_pairs_as_a_dictionary_does(seed: int) -> None:
    chance = np.random.default_rng(seed)
    # few engagers, or engagers that agree in the bits by which a search begins
    spread = np.uint64([1, 1 << 20, 1 << 60][seed % 3])
    engagers, truth = Engagers((6,), 1), dict[tuple[int, int], int]()
    for rows in (0, 1, 3, 700, 2, 700, 700):
        cells = chance.integers(0, 20, rows)
        hashes = chance.integers(0, 15, rows).astype(np.uint64) * spread
        expected = [
            truth.setdefault(pair, len(truth))
            for pair in zip(cells.tolist(), hashes.tolist(), strict=True)
        ]
        assert engagers.pairs(cells, hashes).tolist() == expected
        assert engagers.size == len(truth)
    again = Engagers((6,), 1)
    again.load(engagers.cell[: engagers.size], engagers.engager[: engagers.size])
    cells, hashes = np.array(list(truth)).T
    assert again.pairs(cells.astype(np.int64), hashes.astype(np.uint64)).tolist() == list(
        range(len(truth))
    )
