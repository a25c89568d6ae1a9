"""Rows by hash: found, moved and removed, also where hashes crowd."""

import random
from array import array

import numpy as np
import pytest

from streams.core.hash_index import HashIndex


class Rows:
    """A column with an index, and the dictionary that both must agree with."""

    def __init__(self) -> None:
        self.column = array("Q")
        self.index = HashIndex(self.column)
        self.truth: dict[int, int] = {}

    def put(self, value: int) -> None:
        self.column.append(value)
        self.truth[value] = len(self.column) - 1
        self.index.put(value, self.truth[value])

    def remove(self, value: int) -> None:
        self.index.remove(value)
        self.truth.pop(value, None)

    def check(self, values: list[int]) -> None:
        assert [self.index.find(v) for v in values] == [self.truth.get(v, -1) for v in values]


@pytest.mark.parametrize("crowd", [1, 1 << 20, 1 << 62])
def test_it_agrees_with_a_dictionary(crowd: int) -> None:
    chance = random.Random(7)
    values = [chance.randrange(1 << 9) * crowd % (1 << 64) for _ in range(400)]
    rows = Rows()
    for _ in range(3_000):
        value = chance.choice(values)
        if chance.random() < 0.3:
            rows.remove(value)
        elif chance.random() < 0.5:
            assert rows.index.find(value) == rows.truth.get(value, -1)
        else:
            rows.put(value)
    rows.check(values)


def test_what_was_missed_is_found_after_another_took_its_slot() -> None:
    rows = Rows()
    assert rows.index.find(64) == -1
    rows.put(128)
    rows.put(64)
    rows.check([64, 128, 192])


def test_it_can_be_made_anew_of_some_rows() -> None:
    rows = Rows()
    for value in range(1, 1001):
        rows.put(value)
    kept = np.arange(0, 1000, 3)
    rows.index.rebuild(kept)
    rows.truth = {rows.column[row]: row for row in kept.tolist()}
    rows.check(list(range(1, 1001)))


def test_a_hash_may_be_any_of_64_bits() -> None:
    rows = Rows()
    for value in (0, 1, 2**63, 2**64 - 1):
        rows.put(value)
    rows.check([0, 1, 2, 2**63, 2**64 - 1])
