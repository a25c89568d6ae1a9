"""The seen store says what its plain twin says, whatever happens across its generations."""

import random

import pytest

from tests.support.plain_seen import PlainSeenStore
from tests.support.seen import Store, Verdict


def step(
    store: Store | PlainSeenStore, offset: int, what: str, key: int, record: int, at: int
) -> object:
    if what == "record":
        undone = store.undo_record(offset, record, at)
        return [(k, e.at, e.target, e.weight, e.amount, e.record) for k, e in undone]
    if what == "undo":
        entry = store.undo(offset, key, at)
        return entry and (entry.newest, entry.at, entry.target, entry.network, entry.record)
    verdict = store.admit(offset, key, record, at)
    if verdict is Verdict.NEW and what == "keep":
        target = f"bluesky:t{key % 7}-{at % 3}"
        store.keep(key, at, target, key % 3, key % 5, 1 << 10 + key % 30, 1 + at % 2, record)
    return verdict


@pytest.mark.parametrize("seed", range(20))
def test_it_says_what_its_twin_says(seed: int) -> None:
    chance = random.Random(seed)
    horizon = chance.choice([1, 5, 50, 400])
    keys = [chance.getrandbits(64) for _ in range(chance.choice([3, 30, 300]))]
    store, twin = Store(horizon), PlainSeenStore(horizon)
    offset = 0
    for _ in range(800):
        offset += chance.choice([0, 1, 1, 1, 2, chance.randrange(1, 2 * horizon + 1)])
        what = chance.choices(["keep", "late", "undo", "record"], [10, 1, 3, 1])[0]
        key = chance.choice(keys)
        record = chance.choice([0, key % 11, key % 5])
        at = chance.randrange(20)
        if what == "record" and not record:
            continue
        said = step(store, offset, what, key, record, at)
        assert said == step(twin, offset, what, key, record, at)
        assert len(store) == len(twin)
        if chance.random() < 0.04:
            store.snapshot(whole=chance.random() < 0.1)
        if store.snapshots and chance.random() < 0.02:
            store.snapshot()
            again = store.restored()
            assert again.snapshot(whole=True) == store.snapshot(whole=True)
            store = again
