"""A state is found again in a changelog whatever owners, zombies and truncation left in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.changelog import (
    LARGEST_PART,
    ChangelogError,
    Owner,
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


def test_nothing_gives_no_state() -> None:
    recovered = recover({})
    assert (recovered.body, recovered.epoch, recovered.last_offset) == (None, 0, -1)


def test_the_newest_complete_checkpoint_is_found() -> None:
    log = Log()
    log.add(fence(FIRST, -1))
    log.checkpoint(FIRST, 0, b"old")
    log.checkpoint(FIRST, 1, b"new")
    parts, _marker = checkpoint_records(FIRST, 2, b"never finished")
    log.add(*parts)
    recovered = recover(log.records)
    assert recovered.body == b"new"
    assert recovered.epoch == 1
    assert recovered.last_offset == len(log.records) - 1


def test_a_large_body_is_cut_and_joined() -> None:
    body = bytes(range(256)) * (LARGEST_PART // 100)
    log = Log()
    log.add(fence(FIRST, -1))
    log.checkpoint(FIRST, 0, body)
    assert len(log.records) == 2 + -(-len(body) // LARGEST_PART)
    assert recover(log.records).body == body


def test_what_a_zombie_writes_behind_the_fence_is_void() -> None:
    log = Log()
    log.add(fence(FIRST, -1))
    log.checkpoint(FIRST, 0, b"first")
    log.add(fence(SECOND, len(log.records) - 1))
    log.checkpoint(FIRST, 1, b"zombie")
    assert recover(log.records).body == b"first"
    log.checkpoint(SECOND, 0, b"second")
    log.checkpoint(FIRST, 2, b"zombie again")
    recovered = recover(log.records)
    assert recovered.body == b"second"
    assert recovered.epoch == 2


def test_a_marker_that_the_new_owner_had_not_read_does_not_count() -> None:
    log = Log()
    log.add(fence(FIRST, -1))
    log.checkpoint(FIRST, 0, b"read")
    read_to = len(log.records) - 1
    log.checkpoint(FIRST, 1, b"written while the new owner was reading")
    log.add(fence(SECOND, read_to))
    assert recover(log.records).body == b"read"


def test_a_truncated_log_starts_without_its_fence() -> None:
    log = Log()
    log.add(fence(SECOND, -1))
    log.checkpoint(SECOND, 0, b"old")
    log.checkpoint(SECOND, 1, b"new")
    kept = {offset: record for offset, record in log.records.items() if offset >= 3}
    recovered = recover(kept)
    assert recovered.body == b"new"
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
    newest: bytes | None = None
    expected: dict[int, bytes | None] = {0: None, 1: None}
    for number, (finished, body) in enumerate(steps):
        parts, marker = checkpoint_records(FIRST, number, body)
        for part in parts:
            log.add(part)
            expected[len(log.records)] = newest
        if finished:
            log.add(marker)
            newest = body
        expected[len(log.records)] = newest
    length = data.draw(st.sampled_from(sorted(expected)))
    prefix = {offset: log.records[offset] for offset in range(length)}
    assert recover(prefix).body == expected[length]
