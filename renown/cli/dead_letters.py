"""``renown dead-letters``."""

from typing import Annotated, Final

import typer

app = typer.Typer(help="Records that could not be used.", rich_markup_mode=None)

_LONGEST_VALUE: Final = 60


@app.callback()
def _group() -> None:
    """Records that could not be used."""


@app.command("list")
def list_letters(
    reason: Annotated[
        str | None, typer.Option(metavar="REASON", help='Only of this reason, as "bad json".')
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a record.")] = False,
) -> None:
    """Show records that could not be used: where each lies, why, and how it begins."""
    from dataclasses import asdict

    from renown.cli.connections import database, start
    from renown.cli.output import print_json, print_table, remark
    from renown.queries import dead_letters
    from streams.sinks.migrate import check_migrated

    with database(start()) as db:
        check_migrated(db)
        letters = dead_letters(db, limit, reason)
    if json:
        for letter in letters:
            print_json({**asdict(letter), "value": _text(letter.value)})
        return
    columns = ("at", "topic partition:offset", "reason", "detail", "begins")
    rows = [
        (x.at, f"{x.topic} {x.partition}:{x.offset}", x.reason, x.detail, _beginning(x.value))
        for x in letters
    ]
    print_table(columns, rows)
    if not letters:
        remark("There are none")
    elif len(letters) == limit:
        remark(f"The newest {limit}; --limit shows more")


def _text(value: bytes) -> str:
    """The bytes as text; those that are none as escapes."""
    return value.decode("utf-8", "backslashreplace")


def _beginning(value: bytes) -> str:
    text = _text(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
