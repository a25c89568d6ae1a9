"""A state is found again in a changelog whatever owners, zombies and truncation left in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.changelog import (
    LARGEST_PART,
    ChangelogError,
    Owner,
    Recovered,
    checkpoint_records,
    fence,
    recover,
)

FIRST = Owner(b"a" * 16, 1)
SECOND = Owner(b"b" * 16, 2)


class Log:
    """A changelog partition in memory."""

    def __init__(self) -> None:
        self.records: dict[int, bytes] = {}

    def add(self, *records: bytes) -> int:
        for record in records:
            self.records[len(self.records)] = record
        return len(self.records) - 1

    def checkpoint(self, owner: Owner, number: int, body: bytes) -> None:
        parts, marker = checkpoint_records(owner, number, body)
        self.add(*parts, marker)


def newest(recovered: Recovered) -> bytes | None:
    return recovered.checkpoints[-1].body if recovered.checkpoints else None


def test_nothing_gives_no_state() -> None:
    recovered = recover({})
    assert (recovered.checkpoints, recovered.epoch, recovered.last_offset) == ((), 0, -1)


def test_the_newest_complete_checkpoint_is_found() -> None:
    log = Log()
    log.add(fence(FIRST, -1))
    log.checkpoint(FIRST, 0, b"old")
    log.checkpoint(FIRST, 1, b"new")
    parts, _marker = checkpoint_records(FIRST, 2, b"never finished")
    log.add(*parts)
    recovered = recover(log.records)
    assert newest(recovered) == b"new"
    assert recovered.epoch == 1
    assert recovered.last_offset == len(log.records) - 1


def test_a_large_body_is_cut_and_joined() -> None:
    body = bytes(range(256)) * (LARGEST_PART // 100)
    log = Log()
    log.add(fence(FIRST, -1))
    log.checkpoint(FIRST, 0, body)
    assert len(log.records) == 2 + -(-len(body) // LARGEST_PART)
    assert newest(recover(log.records)) == body


def test_what_a_zombie_writes_behind_the_fence_is_void() -> None:
    log = Log()
    log.add(fence(FIRST, -1))
    log.checkpoint(FIRST, 0, b"first")
    log.add(fence(SECOND, len(log.records) - 1))
    log.checkpoint(FIRST, 1, b"zombie")
    assert newest(recover(log.records)) == b"first"
    log.checkpoint(SECOND, 0, b"second")
    log.checkpoint(FIRST, 2, b"zombie again")
    recovered = recover(log.records)
    assert newest(recovered) == b"second"
    assert recovered.epoch == 2


def test_a_marker_that_the_new_owner_had_not_read_does_not_count() -> None:
    log = Log()
    log.add(fence(FIRST, -1))
    log.checkpoint(FIRST, 0, b"read")
    read_to = len(log.records) - 1
    log.checkpoint(FIRST, 1, b"written while the new owner was reading")
    log.add(fence(SECOND, read_to))
    assert newest(recover(log.records)) == b"read"


def test_a_truncated_log_starts_without_its_fence() -> None:
    log = Log()
    log.add(fence(SECOND, -1))
    log.checkpoint(SECOND, 0, b"old")
    log.checkpoint(SECOND, 1, b"new")
    kept = {offset: record for offset, record in log.records.items() if offset >= 3}
    recovered = recover(kept)
    assert newest(recovered) == b"new"
    assert recovered.epoch == 2


def test_a_hole_and_an_unknown_version_are_refused() -> None:
    log = Log()
    log.add(fence(FIRST, -1))
    log.checkpoint(FIRST, 0, b"x")
    with pytest.raises(ChangelogError, match="hold only 2 records"):
        recover({0: log.records[0], 2: log.records[2]})
    with pytest.raises(ChangelogError, match="format version 9"):
        recover({0: b"F\x09" + log.records[0][2:]})


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=8)), max_size=12), st.data())
def test_any_prefix_recovers_the_last_marker_in_it(
    steps: list[tuple[bool, bytes]], data: st.DataObject
) -> None:
    """Each step is a checkpoint, finished or cut off before its marker."""
    log = Log()
    log.add(fence(FIRST, -1))
    last: bytes | None = None
    expected: dict[int, bytes | None] = {0: None, 1: None}
    for number, (finished, body) in enumerate(steps):
        parts, marker = checkpoint_records(FIRST, number, body)
        for part in parts:
            log.add(part)
            expected[len(log.records)] = last
        if finished:
            log.add(marker)
            last = body
        expected[len(log.records)] = last
    length = data.draw(st.sampled_from(sorted(expected)))
    prefix = {offset: log.records[offset] for offset in range(length)}
    assert newest(recover(prefix)) == expected[length]


def chained(*steps: tuple[Owner, int, int]) -> Log:
    """A log of checkpoints (owner, number, oldest needed); a new owner reads all before it."""
    log, before = Log(), None
    for owner, number, oldest in steps:
        if owner != before:
            log.add(fence(owner, len(log.records) - 1))
            before = owner
        parts, marker = checkpoint_records(owner, number, b"%d" % number, oldest)
        log.add(*parts, marker)
    return log


def bodies(recovered: Recovered) -> list[bytes]:
    return [kept.body for kept in recovered.checkpoints]


def test_all_that_the_newest_checkpoint_needs_is_found_over_owners() -> None:
    log = chained((FIRST, 0, 0), (FIRST, 1, 0), (FIRST, 2, 1), (SECOND, 3, 1))
    recovered = recover(log.records)
    assert bodies(recovered) == [b"1", b"2", b"3"]
    assert recovered.next_number == 4
    assert [kept.start for kept in recovered.checkpoints] == [3, 5, 8]
    cut = {offset: log.records[offset] for offset in range(3, len(log.records))}
    assert bodies(recover(cut)) == [b"1", b"2", b"3"]


def test_numbers_go_on_where_the_fence_left_them() -> None:
    log = chained((FIRST, 0, 0), (FIRST, 1, 0))
    read_to = len(log.records) - 1
    log.add(*checkpoint_records(FIRST, 2, b"zombie", 0)[0], checkpoint_records(FIRST, 2, b"", 0)[1])
    log.add(fence(SECOND, read_to))
    parts, marker = checkpoint_records(SECOND, 2, b"2", 1)
    log.add(*parts, marker)
    assert bodies(recover(log.records)) == [b"1", b"2"]


def test_a_checkpoint_that_is_needed_and_gone_is_told() -> None:
    log = chained((FIRST, 0, 0), (FIRST, 2, 0))
    with pytest.raises(ChangelogError, match="needs those from 0 on, but the log holds only 0, 2"):
        recover(log.records)
    cut = {offset: log.records[offset] for offset in range(3, len(log.records))}
    with pytest.raises(ChangelogError, match="needs those from 0 on, but the log holds only 2"):
        recover(cut)


def test_version_1_had_whole_checkpoints_numbered_by_each_owner() -> None:
    log = Log()
    for owner, number in ((FIRST, 0), (FIRST, 1), (SECOND, 0)):
        log.add(fence(owner, len(log.records) - 1))
        parts, marker = checkpoint_records(owner, number, b"%d" % number)
        log.add(*parts, marker[:-8])
    records = {offset: record[:1] + b"\x01" + record[2:] for offset, record in log.records.items()}
    recovered = recover(records)
    assert bodies(recovered) == [b"0"]
    assert recovered.next_number == 1
