"""How results are shown: a table for people, plain columns for a pipe, JSON or CSV for programs.

Results go to stdout, remarks to stderr.
"""

import csv
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

import typer

Row = Sequence[Any]

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What could move the cursor, change colours or turn the direction of the text."""

_KEPT_WHOLE: Final = 30
"""Columns up to this width are not wrapped on a terminal."""


def remark(text: str) -> None:
    """Say something to the person, beside the result."""
    typer.echo(text, err=True)


def cell(value: Any) -> str:
    """A value as text on one line; control characters are shown as escapes."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        text = value.isoformat(sep=" ", timespec="milliseconds")
        return text.replace("+00:00", "").removesuffix(".000")
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(cell(part) for part in value) + "]"
    return _CONTROL.sub(lambda found: ascii(found.group())[1:-1], str(value))


def print_table(columns: Sequence[str], rows: Sequence[Row], title: str = "") -> None:
    """A table; in a pipe without lines, so that nothing is cut off."""
    texts = [[cell(value) for value in row] for row in rows]
    right = [_is_number(index, rows) for index in range(len(columns))]
    if sys.stdout.isatty():
        _print_rich(columns, texts, right, title)
    else:
        _print_plain(columns, texts, right, title)


def print_json(value: Any) -> None:
    """One JSON value on one line."""
    import msgspec

    text = msgspec.json.encode(value, enc_hook=str)
    typer.echo(text.decode())


def print_csv(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """CSV with a header."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_plain(value) for value in row] for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value.isoformat() if isinstance(value, datetime | date) else value


def _is_number(index: int, rows: Sequence[Row]) -> bool:
    values = [row[index] for row in rows if row[index] is not None]
    return bool(values) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


def _print_plain(
    columns: Sequence[str], rows: list[list[str]], right: list[bool], title: str
) -> None:
    lines = [list(columns), *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    if title:
        typer.echo(title)
    for line in lines:
        texts = [
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(line, widths, right, strict=True)
        ]
        typer.echo("  ".join(texts).rstrip())


def _print_rich(
    columns: Sequence[str], rows: list[list[str]], right: list[bool], title: str
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for index, (name, number) in enumerate(zip(columns, right, strict=True)):
        widest = max((len(row[index]) for row in rows), default=0)
        table.add_column(
            Text(name),
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=widest <= _KEPT_WHOLE,
        )
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    Console().print(table)
