"""Files as lines: plain or packed, damaged, with lines of any length."""

import gzip
from pathlib import Path

import pytest

from agents.lines import LONGEST_LINE, LineFile, SourceDamaged
from agents.source import Line
from config.errors import WrongUse
from schemas.dead_letter import LARGEST_KEPT_BODY

BODY = b"one\ntwo\r\n\nfour\x00\xff\nfive"
LINES = [
    Line(1, b"one"),
    Line(2, b"two"),
    Line(3, b""),
    Line(4, b"four\x00\xff"),
    Line(5, b"five"),
]


def lines(path: Path, skip: int = 0) -> list[Line]:
    with LineFile(path) as file:
        return list(file.lines(skip))


def test_plain_and_packed_files_read_alike_whatever_their_name(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.gz", tmp_path / "packed.txt"
    plain.write_bytes(BODY)
    packed.write_bytes(gzip.compress(BODY[:6]) + gzip.compress(BODY[6:]))
    assert lines(plain) == lines(packed) == LINES


def test_lines_can_be_skipped(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(BODY)
    assert lines(tmp_path / "f", skip=3) == LINES[3:]
    assert lines(tmp_path / "f", skip=9) == []


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbfone\n\xef\xbb\xbftwo")
    assert lines(tmp_path / "f") == [Line(1, b"one"), Line(2, b"\xef\xbb\xbftwo")]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    assert lines(tmp_path / "f") == []


@pytest.mark.parametrize("extra", [0, 1, 2, 1_000_000])
def test_lines_longer_than_a_record_are_cut(tmp_path: Path, extra: int) -> None:
    (tmp_path / "f").write_bytes(b"x" * (LONGEST_LINE + extra) + b"\nafter\n")
    first, second = lines(tmp_path / "f")
    assert first.cut is (extra > 1)
    assert len(first.body) == (LARGEST_KEPT_BODY if first.cut else LONGEST_LINE + extra)
    assert second == Line(2, b"after")


def test_how_far_the_file_is_read_is_counted_in_bytes_of_the_disk(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(b"line %d\n" % n for n in range(100_000)))
    (tmp_path / "f").write_bytes(packed)
    with LineFile(tmp_path / "f") as file:
        assert file.consumed <= 1 << 16
        for _ in file.lines():
            pass
        assert file.consumed == file.size == len(packed)


@pytest.mark.parametrize("damage", ["cut", "garbled"])
def test_a_damaged_file_says_so_after_what_could_be_read(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "packed"
    packed = bytearray(gzip.compress(b"".join(b"line %d\n" % n for n in range(100_000))))
    if damage == "cut":
        packed = packed[: len(packed) // 2]
    else:
        packed[len(packed) // 2] ^= 0xFF
        packed[-8] ^= 0xFF
    path.write_bytes(packed)
    found: list[Line] = []
    with LineFile(path) as file, pytest.raises(SourceDamaged, match="is damaged after line"):
        found.extend(file.lines())


def test_a_file_that_cannot_be_opened_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"cannot read .*missing: No such file"):
        LineFile(tmp_path / "missing")
    with pytest.raises(WrongUse, match="Is a directory"):
        LineFile(tmp_path)
