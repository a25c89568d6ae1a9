"""Values as people and programs see them."""

from datetime import UTC, datetime

import pytest

from config.errors import WrongUse
from renown.cli.output import cell, print_csv, print_json, print_table
from renown.cli.times import parse_time


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (1.5, "1.5"),
        (1234.0, "1,234"),
        (0.0004, "0"),
        (12345, "12345"),
        ("a\tb\x1b[0m", r"a\tb\x1b[0m"),
        ("\u202eleft", r"\u202eleft"),
        ("žluťoučký 🌈", "žluťoučký 🌈"),
        (b"\xffx", r"\xffx"),
        (["a\n", 1], r"[a\n, 1]"),
        (datetime(2024, 3, 1, 12, 0, tzinfo=UTC), "2024-03-01 12:00:00"),
        (datetime(2024, 3, 1, 12, 0, 0, 5000, tzinfo=UTC), "2024-03-01 12:00:00.005"),
    ],
)
def test_cell(value: object, text: str) -> None:
    assert cell(value) == text


def test_table_in_a_pipe_cuts_nothing_off(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("who", "n"), [("x" * 300, 1), ("y", 22)], "Title")
    assert capsys.readouterr().out.splitlines() == [
        "Title",
        "who".ljust(300) + "   n",
        "x" * 300 + "   1",
        "y".ljust(300) + "  22",
    ]


def test_table_on_a_terminal_takes_names_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    print_table(("who", "n"), [("[red]bob[/red]", 1)])
    assert "[red]bob[/red]" in capsys.readouterr().out


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"at": datetime(2024, 3, 1, tzinfo=UTC), "nan": float("nan"), "text": "a\nb"})
    line = '{"at":"2024-03-01T00:00:00Z","nan":null,"text":"a\\nb"}\n'
    assert capsys.readouterr().out == line


def test_csv(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv(("a", "b"), [(1, "x,y"), (None, b"z")])
    assert capsys.readouterr().out == 'a,b\n1,"x,y"\n,z\n'


@pytest.mark.parametrize(
    "text",
    ["2012-07-05", "2012-07-05T00:00:00", "2012-07-05T00:00:00Z", " 2012-07-05T02:00:00+02:00"],
)
def test_times_are_utc_unless_they_say_otherwise(text: str) -> None:
    assert parse_time(text) == 1_341_446_400_000


@pytest.mark.parametrize("text", ["", "soon", "1341446400", "2012-13-01"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(WrongUse, match="write it like"):
        parse_time(text)
