"""``renown query``."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Annotated, Final

import typer

_READONLY: Final = 164
"""ClickHouse's code for a statement that would change something."""
_MOST_ROWS_SHOWN: Final = 1000

EPILOG: Final = """\b
Examples:
  renown query "SELECT * FROM leaderboard LIMIT 10"
  renown query --csv "SELECT * FROM interactions WHERE target = 'twitter:14138'" > rows.csv
  renown query "SHOW TABLES"
  renown query "SELECT name, comment FROM system.tables WHERE database = currentDatabase()"

\b
Views: interactions, score_now, score_history, leaderboard, movers, influencers_of,
influenced_by, engagement_hourly, network_mix.
"""


def query(
    sql: Annotated[str, typer.Argument(help="One SELECT, SHOW, DESCRIBE or EXPLAIN; - reads it.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object a row.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV with a header.")] = False,
) -> None:
    """Ask ClickHouse in SQL. Nothing can be changed by it."""
    from config.errors import WrongUse
    from renown.cli.connections import database, start
    from renown.cli.output import print_csv, print_json, print_table, remark

    if json and csv:
        raise WrongUse("a result is in JSON or in CSV: give --json or --csv, not both")
    text = typer.get_text_stream("stdin").read() if sql == "-" else sql
    if not text.strip().rstrip(";"):
        raise WrongUse('the SQL is empty: write it like renown query "SELECT * FROM leaderboard"')
    with database(start(), readonly=True) as db, _mistakes_are_wrong_use():
        columns, rows = db.stream(text.strip().rstrip(";"))
        names = [name for name, _ in columns]
        if json:
            for row in rows:
                print_json(dict(zip(names, row, strict=True)))
        elif csv:
            print_csv(names, rows)
        else:
            print_table(names, list(islice(rows, _MOST_ROWS_SHOWN)))
            if next(rows, None) is not None:
                remark(f"The first {_MOST_ROWS_SHOWN} rows; --csv or --json gives all")


@contextmanager
def _mistakes_are_wrong_use() -> Iterator[None]:
    from config.errors import WrongUse
    from streams.sinks.errors import Refused

    try:
        yield
    except Refused as error:
        if error.code == _READONLY:
            raise WrongUse("renown query only reads: give it a SELECT") from error
        raise WrongUse(str(error)) from error
