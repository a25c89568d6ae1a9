"""The owner cache survives crashes and stays bounded; nobody waits for ever."""

import logging
from pathlib import Path

import pytest

from agents.networks.found import Draft, Part
from agents.owners import OwnerCache, WaitingRoom
from config.errors import Unreachable
from schemas.kinds import Kind


def draft(*keys: str, at: int = 1) -> Draft:
    parts = tuple(Part(Kind.LIKE, key=key) for key in keys)
    return Draft("bluesky", "bluesky:did:plc:noor", "at://r", at, at, parts)


def test_what_is_saved_is_known_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "made" / "owners.jsonl"
    cache = OwnerCache(path)
    cache.learn("handle a", "bluesky:1")
    cache.learn("handle b", "bluesky:2")
    cache.save()
    cache.learn("handle a", "bluesky:3")
    cache.save()
    cache.learn("handle c", "bluesky:4")
    again = OwnerCache(path)
    assert (again.get("handle a"), again.get("handle b")) == ("bluesky:3", "bluesky:2")
    assert again.get("handle c") is None, "it was not saved"
    assert len(again) == 2
    assert not list(path.parent.glob("*.tmp"))


def test_it_is_bounded_and_forgets_what_was_learned_first(tmp_path: Path) -> None:
    cache = OwnerCache(tmp_path / "owners.jsonl", most=3)
    for name in "abacd":
        cache.learn(name, f"bluesky:{name}")
    assert [name for name in "abcd" if cache.get(name)] == ["b", "c", "d"]
    cache.save()
    again = OwnerCache(tmp_path / "owners.jsonl", most=3)
    assert [name for name in "abcd" if again.get(name)] == ["b", "c", "d"]


def test_the_file_stays_bounded_too(tmp_path: Path) -> None:
    path = tmp_path / "owners.jsonl"
    cache = OwnerCache(path, most=10)
    for round_ in range(30):
        for n in range(1000):
            cache.learn(f"key{n % 50}", f"bluesky:{round_}-{n}")
        cache.save()
    assert path.read_bytes().count(b"\n") <= 12_000
    assert len(OwnerCache(path, most=10)) == 10


def test_the_same_again_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "owners.jsonl"
    cache = OwnerCache(path)
    for _ in range(5):
        cache.learn("a", "bluesky:1")
        cache.save()
    assert path.read_bytes() == b'["a","bluesky:1"]\n'


@pytest.mark.parametrize("tail", [b'["b","blue', b"\xff\n", b'["b"]\n', b"{}\n\n"])
def test_damage_costs_the_damaged_lines_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, tail: bytes
) -> None:
    path = tmp_path / "owners.jsonl"
    path.write_bytes(b'["a","bluesky:1"]\n' + tail)
    with caplog.at_level(logging.WARNING, logger="renown.agents"):
        cache = OwnerCache(path)
    assert "cannot be read" in caplog.text
    assert cache.get("a") == "bluesky:1"
    cache.learn("c", "bluesky:3")
    cache.save()
    assert path.read_bytes() == b'["a","bluesky:1"]\n["c","bluesky:3"]\n'


def test_a_folder_in_the_way_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "owners.jsonl").mkdir()
    with pytest.raises(Unreachable, match=r"cannot read the owners .*RENOWN_DATA_DIR"):
        OwnerCache(tmp_path / "owners.jsonl")
    (tmp_path / "file").touch()
    cache = OwnerCache(tmp_path / "other")
    cache.path = tmp_path / "file" / "owners"
    cache.learn("a", "bluesky:1")
    with pytest.raises(Unreachable, match=r"cannot write the owners"):
        cache.save()


def test_who_waits_leaves_when_all_that_is_missing_is_known(tmp_path: Path) -> None:
    owners, room = OwnerCache(tmp_path / "owners.jsonl"), WaitingRoom()
    one, both, other = draft("a", at=30), draft("a", "b", at=20), draft("c", at=10)
    for each in (one, both, other):
        room.add(each, now=0.0)
    assert (len(room), room.earliest()) == (3, 10)
    assert room.ready(owners) == []
    owners.learn("a", "bluesky:1")
    assert room.ready(owners) == [one]
    owners.learn("b", "bluesky:2")
    owners.learn("c", "bluesky:3")
    assert room.ready(owners) == [both, other]
    assert (list(room), room.earliest()) == ([], None)


def test_nobody_waits_longer_than_allowed_nor_do_too_many() -> None:
    room = WaitingRoom(most=2, seconds=10)
    drafts = [draft(str(n), at=n) for n in range(4)]
    for n, each in enumerate(drafts):
        room.add(each, now=float(n))
    assert room.overdue(now=3.0) == drafts[:2], "too many"
    assert room.overdue(now=11.9) == []
    assert room.overdue(now=12.0) == drafts[2:3]
    assert list(room) == drafts[3:]
