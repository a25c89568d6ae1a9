"""Checkpoints in files: whole or not there, and deleted only once nobody needs them."""

from pathlib import Path

import pytest

from streams.engine.changelog import ChangelogError, Owner
from streams.engine.checkpoint_files import CheckpointFiles

ADA, BEN = Owner(b"a" * 16, 1), Owner(b"b" * 16, 2)


def test_without_a_folder_the_changelog_holds_the_body() -> None:
    files = CheckpointFiles(None, "stage")
    files.recovered(0)
    assert files.put(0, ADA, 0, b"body") == b"body"
    files.stored(0, 0)
    assert files.get(b"body") == b"body"


def test_a_body_comes_back_by_its_reference(tmp_path: Path) -> None:
    files = CheckpointFiles(tmp_path / "new", "stage")
    held = files.put(3, ADA, 0, b"body" * 1000)
    assert len(held) < 200
    assert CheckpointFiles(tmp_path / "new", "stage").get(held) == b"body" * 1000


def test_those_that_are_needed_are_kept(tmp_path: Path) -> None:
    files = CheckpointFiles(tmp_path, "stage")
    files.recovered(0)
    held = []
    for number in range(4):
        held.append(files.put(0, ADA, number, b"%d" % number))
        files.stored(0, max(0, number - 1))
    assert [files.get(h) for h in held[2:]] == [b"2", b"3"]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_new_owner_deletes_what_was_there_once_its_own_is_stored(tmp_path: Path) -> None:
    before, after = CheckpointFiles(tmp_path, "stage"), CheckpointFiles(tmp_path, "stage")
    old = before.put(1, ADA, 0, b"old")
    other = before.put(11, ADA, 0, b"other partition")
    after.recovered(1, [])
    late = before.put(1, ADA, 1, b"of one that does not know yet")
    new = after.put(1, BEN, 0, b"new")
    assert after.get(old) == b"old"
    after.stored(1, 0)
    assert [after.get(h) for h in (other, late, new)] == [
        b"other partition",
        b"of one that does not know yet",
        b"new",
    ]
    with pytest.raises(ChangelogError, match="No such file"):
        after.get(old)


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    files = CheckpointFiles(tmp_path, "stage")
    held = files.put(0, ADA, 0, b"body")
    next(tmp_path.iterdir()).write_bytes(b"bodi")
    with pytest.raises(ChangelogError, match="not what was stored"):
        files.get(held)


def test_a_reference_needs_the_folder(tmp_path: Path) -> None:
    held = CheckpointFiles(tmp_path, "stage").put(0, ADA, 0, b"body")
    with pytest.raises(ChangelogError, match="RENOWN_CHECKPOINT_DIR"):
        CheckpointFiles(None, "stage").get(held)
