"""What a reader of ``standing`` makes of owners that die and come back."""

from typing import Any

import msgspec
import pytest

from schemas.hashing import hash64
from schemas.standing import MARKER_KEY, DayClosed, Standing
from streams.core.closed_days import ClosedDays
from streams.core.records import Record

ADA, KIM = "twitter:ada", "twitter:kim"


def of(account: str, tier: int, day: int, epoch: int = 1) -> tuple[bytes, bytes]:
    said = Standing(account=account, day=day, tier=tier, epoch=epoch, sequence=1)
    return account.encode(), msgspec.json.encode(said)


def closed(day: int, epoch: int = 1, *, whole: bool = False) -> tuple[bytes, bytes]:
    marker = DayClosed(closed=day, first=3, whole=whole, epoch=epoch, sequence=2)
    return MARKER_KEY, msgspec.json.encode(marker)


def read(days: ClosedDays, *said: tuple[bytes, bytes]) -> None:
    start = days.position + 1
    records = [Record(start + n, 0, key, value) for n, (key, value) in enumerate(said)]
    days.read(records, start + len(said) - 1)


def tiers(**of: int) -> dict[int, int]:
    return {hash64(f"twitter:{name}"): tier for name, tier in of.items()}


def test_tiers_wait_for_their_marker() -> None:
    days = ClosedDays()
    read(days, of(ADA, 2, 9))
    assert days.closed == -1
    assert days.take() == ({}, False)
    read(days, closed(9), of(KIM, 1, 10), closed(10), of(ADA, 0, 11))
    assert (days.closed, days.first, days.position) == (10, 3, 4)
    assert days.take() == (tiers(ada=2, kim=1), False)
    assert days.take() == ({}, False)


def test_a_record_is_read_once() -> None:
    days = ClosedDays()
    record = Record(0, 0, *of(ADA, 2, 9))
    days.read([record], 0)
    days.read([record._replace(value=b"{")], 0)
    read(days, closed(9))
    assert days.take() == (tiers(ada=2), False)


def test_what_an_owner_left_unfinished_or_says_too_late_is_void() -> None:
    days = ClosedDays()
    read(days, of(ADA, 3, 9, 1), of(KIM, 1, 9, 2), closed(9, 1), closed(9, 2), of(ADA, 3, 9, 1))
    assert days.closed == 9
    read(days, closed(10, 2))
    assert days.take() == (tiers(kim=1), False)


def test_days_told_again_wait_for_the_newest_closed_one() -> None:
    days = ClosedDays()
    read(days, of(ADA, 1, 7), closed(7), of(ADA, 2, 9), closed(9))
    read(days, of(ADA, 1, 7, 2), closed(7, 2, whole=True))
    restored = ClosedDays.restore(days.snapshot())
    assert restored.snapshot() == days.snapshot()
    for each in (days, restored):
        assert each.closed == 9
        read(each, of(ADA, 2, 9, 2), closed(9, 2))
        assert each.take() == (tiers(ada=2), True)


def test_what_is_no_message_is_named() -> None:
    with pytest.raises(ValueError, match="standing, offset 0"):
        read(ClosedDays(), (b"a", b"{}"))


def test_a_removed_record_says_nothing() -> None:
    days = ClosedDays()
    removed: Any = (b"a", None)
    read(days, removed, closed(4))
    assert days.closed == 4
