"""What the store says to deliveries and undos, told as short stories about one interaction."""

import pytest

from streams.kernels.seen import LARGEST_RECORD
from tests.support.seen import Store, Verdict

KEY, RECORD = 11, 99
HORIZON = 100


class Story:
    """A store that is told one event after the other, each at the next offset."""

    def __init__(self, horizon: int = HORIZON) -> None:
        self.store = Store(horizon)
        self.offset = 0

    def deliver(self, at: int, key: int = KEY, record: int = 0) -> Verdict:
        verdict = self.store.admit(self.offset, key, record, at)
        if verdict is Verdict.NEW:
            self.store.keep(key, at, f"twitter:t{key}", 2, 3, 1536, 1, record)
        self.offset += 1
        return verdict

    def undo(self, at: int, key: int = KEY) -> bool:
        entry = self.store.undo(self.offset, key, at)
        self.offset += 1
        return entry is not None

    def undo_record(self, at: int, record: int = RECORD) -> list[int]:
        retracted = self.store.undo_record(self.offset, record, at)
        self.offset += 1
        return [key for key, _ in retracted]


def test_a_repeat_is_a_duplicate() -> None:
    story = Story()
    assert story.deliver(5) is Verdict.NEW
    assert story.deliver(5) is Verdict.DUPLICATE
    assert len(story.store) == 1


def test_an_undo_gives_back_exactly_what_was_added() -> None:
    store = Store(HORIZON)
    store.admit(0, KEY, RECORD, 5)
    store.keep(KEY, 5, "twitter:robin", 7, 3, 3072, 2, RECORD)
    entry = store.undo(1, KEY, 6)
    assert entry is not None
    assert (entry.at, entry.target, entry.network) == (5, "twitter:robin", 7)
    assert (entry.class_, entry.weight, entry.amount, entry.record) == (3, 3072, 2, RECORD)


def test_an_undo_works_once() -> None:
    story = Story()
    story.deliver(5)
    assert story.undo(6)
    assert not story.undo(6)
    assert not story.undo(7)


def test_an_undo_that_comes_first_waits() -> None:
    story = Story()
    assert not story.undo(6)
    assert story.deliver(5) is Verdict.UNDONE
    assert story.deliver(5) is Verdict.DUPLICATE


def test_an_undo_at_the_same_millisecond_wins() -> None:
    story = Story()
    story.deliver(5)
    assert story.undo(5)
    other = Story()
    other.undo(5)
    assert other.deliver(5) is Verdict.UNDONE


def test_an_interaction_newer_than_its_undo_counts_again() -> None:
    story = Story()
    story.deliver(5)
    story.undo(6)
    assert story.deliver(5) is Verdict.DUPLICATE
    assert story.deliver(7) is Verdict.NEW
    assert story.undo(8)


def test_an_undo_older_than_the_newest_delivery_is_stale() -> None:
    story = Story()
    story.deliver(5)
    assert story.deliver(7) is Verdict.DUPLICATE
    assert not story.undo(6)
    assert story.undo(7)


def test_a_waiting_undo_does_not_grow_younger() -> None:
    story = Story()
    story.undo(6)
    story.undo(3)
    assert story.deliver(5) is Verdict.UNDONE


def test_the_undo_of_a_record_takes_back_all_that_it_gave() -> None:
    story = Story()
    for key in (1, 2, 3):
        story.deliver(5, key, RECORD)
    story.deliver(5, 4, RECORD + 1)
    story.undo(6, 2)
    assert story.undo_record(6) == [1, 3]
    assert story.undo_record(6) == []
    assert story.deliver(5, 4, RECORD + 1) is Verdict.DUPLICATE


def test_the_undo_of_a_record_waits_for_what_comes_later() -> None:
    story = Story()
    assert story.undo_record(6) == []
    assert story.deliver(6, 1, RECORD) is Verdict.UNDONE
    assert story.deliver(7, 2, RECORD) is Verdict.NEW
    assert story.deliver(5, 3) is Verdict.NEW


def test_the_undo_of_a_record_spares_what_is_newer() -> None:
    story = Story()
    story.deliver(5, 1, RECORD)
    story.deliver(8, 2, RECORD)
    assert story.undo_record(6) == [1]
    assert story.deliver(8, 2, RECORD) is Verdict.DUPLICATE


def test_what_a_record_gave_counts_again_and_goes_again() -> None:
    story = Story()
    story.deliver(5, 1, RECORD)
    story.undo_record(6)
    assert story.deliver(7, 1, RECORD) is Verdict.NEW
    assert story.undo_record(8) == [1]


def test_what_counts_again_by_another_record_goes_with_that_one() -> None:
    story = Story()
    story.deliver(5, 1, RECORD)
    story.undo(6, 1)
    assert story.deliver(7, 1, RECORD + 1) is Verdict.NEW
    assert story.undo_record(9, RECORD) == []
    assert story.undo_record(9, RECORD + 1) == [1]


def test_a_record_has_room_for_so_many_and_no_more() -> None:
    story = Story(horizon=10_000)
    for key in range(1, LARGEST_RECORD + 1):
        assert story.deliver(5, key, RECORD) is Verdict.NEW
    assert story.deliver(5, LARGEST_RECORD + 1, RECORD) is Verdict.FULL
    assert story.undo(6, 1)
    assert story.deliver(5, LARGEST_RECORD + 1, RECORD) is Verdict.NEW
    assert len(story.undo_record(6)) == LARGEST_RECORD


def test_an_interaction_is_remembered_for_the_horizon() -> None:
    for first in (0, 1, HORIZON - 1):
        store = Store(HORIZON)
        store.admit(first, KEY, 0, 5)
        store.keep(KEY, 5, "twitter:robin", 0, 3, 1536, 1, 0)
        assert store.admit(first + HORIZON, KEY, 0, 5) is Verdict.DUPLICATE


def test_beyond_twice_the_horizon_an_interaction_is_forgotten() -> None:
    store = Store(HORIZON)
    store.admit(0, KEY, 0, 5)
    store.keep(KEY, 5, "twitter:robin", 0, 3, 1536, 1, 0)
    assert store.undo(2 * HORIZON, KEY, 6) is None


def test_each_event_of_an_interaction_keeps_it_alive() -> None:
    store = Store(HORIZON)
    store.admit(0, KEY, RECORD, 5)
    store.keep(KEY, 5, "twitter:robin", 0, 3, 1536, 1, RECORD)
    for offset in range(HORIZON, 10 * HORIZON, HORIZON):
        assert store.admit(offset, KEY, RECORD, 5) is Verdict.DUPLICATE
    assert len(store.undo_record(10 * HORIZON - 1, RECORD, 6)) == 1


def test_a_leap_of_the_offsets_forgets_everything() -> None:
    store = Store(HORIZON)
    store.undo(0, KEY, 6)
    store.undo_record(0, RECORD, 6)
    assert store.admit(50 * HORIZON, KEY, RECORD, 5) is Verdict.NEW
    assert len(store) == 0


def test_a_snapshot_is_made_of_plain_values_and_gives_the_same_store() -> None:
    story = Story()
    story.deliver(5, 2**64 - 1, 2**64 - 1)
    story.deliver(5, 2)
    story.undo(6, 3)
    story.undo_record(6, 7)
    story.offset = HORIZON
    story.deliver(5, 4, 7)
    story.store.snapshot()
    restored = story.store.restored()
    assert restored.snapshot(whole=True) == story.store.snapshot(whole=True)
    assert restored.admit(HORIZON + 1, 2, 0, 5) is Verdict.DUPLICATE
    assert restored.admit(HORIZON + 1, 3, 0, 5) is Verdict.UNDONE
    assert restored.admit(HORIZON + 1, 5, 7, 5) is Verdict.UNDONE
    assert len(restored.undo_record(HORIZON + 1, 2**64 - 1, 9)) == 1


def test_an_empty_store_can_be_restored() -> None:
    store = Store(HORIZON)
    store.snapshot()
    assert len(store.restored()) == 0


def test_another_horizon_holds_from_the_next_end_on() -> None:
    store = Store(10)
    store.undo(9, KEY, 6)
    store.snapshot()
    longer = store.restored(1000)
    assert longer.admit(1009, KEY, 0, 5) is Verdict.UNDONE
    shorter = store.restored(2)
    assert shorter.admit(11, KEY, 0, 5) is Verdict.UNDONE
    assert shorter.admit(20, KEY, 0, 5) is Verdict.NEW


def test_a_horizon_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1 offset"):
        Store(0)


def test_a_log_that_starts_again_forgets_at_the_right_time() -> None:
    store, straight = Store(10), Store(10)
    for offset in range(25):
        assert store.admit(offset, offset, 0, 5) is Verdict.NEW
        store.keep(offset, 5, "twitter:robin", 0, 3, 1536, 1, 0)
        straight.admit(offset, offset, 0, 5)
        straight.keep(offset, 5, "twitter:robin", 0, 3, 1536, 1, 0)
    store.rebase(25)
    for offset in range(20):
        for key in (offset, offset + 10):
            expected = straight.admit(25 + offset, key, 0, 5)
            assert store.admit(offset, key, 0, 5) is expected
        assert len(store) == len(straight)
