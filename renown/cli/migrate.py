"""``renown migrate``."""

from typing import Annotated, Final

import typer

EPILOG: Final = """\b
Examples:
  renown migrate
  RENOWN_CLICKHOUSE=clickhouse://me@db/renown renown migrate --json
"""


def migrate(
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Bring the tables of ClickHouse up to this version.

    Where RENOWN_KAFKA names a broker, missing topics are made too. What is there is left alone.
    """
    from renown.cli.connections import database, start
    from renown.cli.output import print_json
    from streams.sinks.migrate import load_migrations
    from streams.sinks.migrate import migrate as apply_missing

    settings = start()
    if settings.kafka:
        from config.broker import ensure_topics

        ensure_topics(settings)
    with database(settings) as db:
        applied = [migration.name for migration in apply_missing(db)]
        known, where = len(load_migrations()), str(db.address)
    if json:
        print_json({"applied": applied, "known": known, "clickhouse": where})
    elif applied:
        typer.echo(f"Applied to {where}: {', '.join(applied)}")
    else:
        typer.echo(f"Nothing to do: {where} has all {known} migrations")
