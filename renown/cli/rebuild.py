"""``renown rebuild``."""

import sys
from typing import Annotated, Final

import typer

EPILOG: Final = """\b
Examples:
  renown rebuild                   ask, then make the state again for new topics
  renown rebuild --yes --json      do not ask; one JSON object at the end

\b
To change the number of partitions:
  1. stop the agents; wait until everything is stored; stop the workers
  2. delete the topics of Renown (kafka-topics.sh --delete)
  3. set RENOWN_PARTITIONS and run renown rebuild
  4. start workers and agents
"""


def rebuild(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before writing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Make the state of the score workers again from what ClickHouse holds.

    For new topics (after a disaster, or with another number of partitions), and for topics whose
    changelogs are lost. The workers then go on as if nothing had ended: windows and scores
    continue, what was counted is not counted twice, and an undo takes back what came before. No
    worker may run. renown up does this by itself when its embedded broker starts anew.
    """
    from dataclasses import asdict

    from config.broker import ensure_topics
    from config.errors import WrongUse
    from renown.cli.connections import database, start, with_broker
    from renown.cli.output import print_json, remark
    from streams.rebuild.run import rebuild as make_again
    from streams.sinks.migrate import check_migrated

    settings = with_broker(start())
    ensure_topics(settings)
    with database(settings) as db:
        check_migrated(db)
        if not yes:
            if not sys.stdin.isatty():
                raise WrongUse("nobody can be asked whether to write the state: add --yes")
            typer.confirm(
                f"Write the state of {settings.partitions} partitions to {settings.kafka}, made "
                f"from {db.address}?",
                abort=True,
                err=True,
            )
        report = make_again(settings, db.address, remark)
    if json:
        print_json(asdict(report))
    else:
        typer.echo(f"Rebuilt: {report.words}")
        if report.unmatched:
            typer.echo(f"{report.unmatched:,} undos had met nothing; they do not wait any longer")
        typer.echo("Now start the workers: renown worker score, renown worker sink")
