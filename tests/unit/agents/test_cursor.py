"""Cursors: bound to a source, replaced as a whole, clear about what is wrong."""

from pathlib import Path

import msgspec
import pytest

from agents.cursor import CursorFile, Position, file_identity
from config.errors import ExitCode, RenownError, Unreachable, WrongUse


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.txt"
    path.write_bytes(b"1 2 3 RT\n")
    return path


def test_what_is_saved_is_loaded(tmp_path: Path, source: Path) -> None:
    cursor = CursorFile.within(tmp_path / "new" / "folder", file_identity(source, "snap", {}))
    assert cursor.load() is None
    cursor.save(Position(1, 2), {"read": 3})
    cursor.save(Position(1, 7), {"read": 8})
    loaded = cursor.load()
    assert loaded is not None
    assert loaded.position == Position(1, 7)
    assert msgspec.json.decode(loaded.state) == {"read": 8}
    assert [path.name for path in cursor.path.parent.iterdir()] == [cursor.path.name]
    cursor.clear()
    cursor.clear()
    assert cursor.load() is None


def test_sources_that_differ_have_cursors_of_their_own(tmp_path: Path, source: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_bytes(source.read_bytes())
    identities = [
        file_identity(source, "snap", {}),
        file_identity(source, "jsonl", {}),
        file_identity(source, "snap", {"until": 5}),
        file_identity(other, "snap", {}),
    ]
    source.write_bytes(b"1 2 4 RT\n")
    identities.append(file_identity(source, "snap", {}))
    source.write_bytes(b"1 2 4 RT\n1 2 4 RT\n")
    identities.append(file_identity(source, "snap", {}))
    paths = {CursorFile.within(tmp_path, identity).path for identity in identities}
    assert len(paths) == len(identities)


def test_the_cursor_of_another_source_is_refused(tmp_path: Path, source: Path) -> None:
    path = tmp_path / "cursor.json"
    CursorFile(path, file_identity(source, "snap", {"until": 5})).save(Position(0, 1), {})
    with pytest.raises(WrongUse, match=r"cursor.json belongs to .*source.txt"):
        CursorFile(path, file_identity(source, "snap", {})).load()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"v":1}',
        b'{"v":2,"source":{},"position":{},"state":{}}',
        b'{"v":1,"source":{},"position":{"line":-1},"state":{}}',
    ],
)
def test_a_damaged_cursor_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cursor.json"
    path.write_bytes(content)
    with pytest.raises(RenownError, match=r"cursor\.json .*delete it to start") as error:
        CursorFile(path, {}).load()
    assert error.value.exit_code is ExitCode.FAILED


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cursor = CursorFile(tmp_path / "file" / "cursor.json", {})
    with pytest.raises(Unreachable, match=r"cannot write the cursor .*choose another"):
        cursor.save(Position(), {})
    with pytest.raises(Unreachable, match="cannot read the cursor"):
        cursor.load()


def test_a_source_that_cannot_be_read_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="cannot read"):
        file_identity(tmp_path / "missing", "snap", {})
