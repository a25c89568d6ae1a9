"""Which dead letters are published again, how, and what is remembered of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from config.errors import RenownError
from renown.letter_replay import AT_ONCE, headers_of, make_plan, refusal, replay_letters
from renown.letters import MOST_REPLAYS, StoredLetter
from schemas.topics import Topic
from streams.core.weigh import LARGEST_KEPT_KEY
from tests.support.publishing import MemoryOutlet


def letter(offset: int = 0, **values: Any) -> StoredLetter:
    value = values.pop("value", b'{"x":1}')
    return StoredLetter(
        **{
            "log": 1,
            "reason": "bad json",
            "detail": "",
            "topic": "interactions.like",
            "partition": 0,
            "offset": offset,
            "at": datetime(2024, 3, 1, tzinfo=UTC),
            "size": len(value),
            "key": b"twitter:a",
            "value": value,
            "headers": (),
            **values,
        }
    )


def replayed(times: int) -> tuple[tuple[str, bytes], ...]:
    return (("renown-replayed", str(times).encode()),)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, ""),
        ({"topic": "posts"}, ""),
        ({"value": b""}, ""),
        ({"size": 300_000}, "value was cut"),
        ({"key": b"k" * LARGEST_KEPT_KEY}, "key was cut"),
        ({"topic": "weighed"}, "internal topic"),
        ({"topic": "somebody-elses"}, "internal topic"),
        ({"headers": replayed(MOST_REPLAYS - 1)}, ""),
        ({"headers": replayed(MOST_REPLAYS)}, "replayed 3 times before"),
        ({"headers": (("renown-replayed", b"\xffmany"),)}, ""),
        ({"headers": (("renown-replayed", b"9" * 5000),)}, ""),
    ],
)
def test_refusal(values: dict[str, Any], why: str) -> None:
    assert refusal(letter(**values), force=False) == why


def test_force_overrules_the_number_of_replays_only() -> None:
    assert refusal(letter(headers=replayed(99)), force=True) == ""
    assert refusal(letter(size=300_000), force=True) == "value was cut"


def test_the_header_counts_and_comes_first() -> None:
    others = (("source", b"x"), ("source", b"y"))
    assert headers_of(letter(headers=others)) == [("renown-replayed", b"1"), *others]
    again = headers_of(letter(headers=(*others, *replayed(2))))
    assert again == [("renown-replayed", b"3"), *others]


def test_a_plan_counts_and_names_what_it_refuses() -> None:
    letters = [letter(0), letter(1, size=10**6), letter(2, topic="posts"), letter(3, size=10**6)]
    plan = make_plan(letters, limit=None, force=False, named=1)
    assert (plan.records, plan.bytes) == (2, 14)
    assert plan.topics == {"interactions.like": 1, "posts": 1}
    assert plan.reasons == {"bad json": 2}
    assert plan.refused == {"value was cut": 2}
    assert plan.refused_places == ["interactions.like 0:1 (value was cut)"]
    assert make_plan(letters, limit=1, force=False).records == 1


def test_bytes_key_and_headers_are_published_as_they_were() -> None:
    outlet, noted = MemoryOutlet(), list[StoredLetter]()
    letters = [
        letter(0, value=b"\xff{", headers=(("h", b"\x00"),)),
        letter(1, topic="posts", key=b"", value=b"no key"),
        letter(2, size=10**6),
    ]
    count = replay_letters(letters, outlet, noted.extend, limit=10, force=False)
    assert count == 2
    first, second = outlet.sent
    assert (first.topic, first.key, first.value) == (Topic.LIKE, b"twitter:a", b"\xff{")
    assert first.headers == (("renown-replayed", b"1"), ("h", b"\x00"))
    assert (second.topic, second.key) == (Topic.POSTS, None)
    assert noted == letters[:2]


def test_only_what_is_acknowledged_is_noted() -> None:
    outlet, noted = MemoryOutlet(fails_at=AT_ONCE + 5), list[StoredLetter]()
    letters = [letter(n) for n in range(3 * AT_ONCE)]
    told: list[int] = []
    with pytest.raises(RenownError):
        replay_letters(letters, outlet, noted.extend, limit=10**6, force=False, tell=told.append)
    assert noted == letters[:AT_ONCE]
    assert told == [AT_ONCE]


def test_no_more_than_was_agreed_and_stopping_between_batches() -> None:
    def noted_of(limit: int, stops_after: int) -> int:
        asked: list[Sequence[StoredLetter]] = []
        replay_letters(
            (letter(n) for n in range(3 * AT_ONCE)),
            MemoryOutlet(),
            asked.append,
            limit=limit,
            force=False,
            stopping=lambda: len(asked) >= stops_after,
        )
        return sum(map(len, asked))

    assert noted_of(limit=AT_ONCE + 7, stops_after=9) == AT_ONCE + 7
    assert noted_of(limit=10**6, stops_after=2) == 2 * AT_ONCE
