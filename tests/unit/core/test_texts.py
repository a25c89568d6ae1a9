"""Numbered texts: each once, also those whose hashes are equal."""

import pytest

from streams.core import texts
from streams.core.texts import Texts


def test_equal_texts_share_a_number() -> None:
    some = Texts()
    assert [some.number(t) for t in ("twitter:a", "twitter:ü", "twitter:a", "")] == [0, 1, 0, 2]
    assert [some[n] for n in range(len(some))] == ["twitter:a", "twitter:ü", ""]


def test_texts_whose_hashes_are_equal_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "hash", lambda _text: -1, raising=False)
    monkeypatch.setattr(texts, "_MOST_RECENT", 1)
    some = Texts()
    assert [some.number(t) for t in ("a", "b", "c", "a", "b", "c")] == [0, 1, 2, 0, 1, 2]


def test_a_snapshot_gives_the_same_numbers() -> None:
    some = Texts(f"twitter:{n}" for n in range(2000))
    again = Texts.restore(some.snapshot())
    assert [again.number(f"twitter:{n}") for n in (1999, 0, 2000)] == [1999, 0, 2000]
    assert Texts.restore(Texts().snapshot()).snapshot() == Texts().snapshot()
