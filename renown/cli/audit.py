"""``renown audit``."""

from typing import Annotated, Final

import typer

from config.errors import ExitCode, RenownError

EPILOG: Final = """\b
Examples:
  renown audit
  renown audit twitter:14138 --json
  renown audit --at 2012-07-05T00:00:00Z
"""


def audit(
    account: Annotated[
        str | None, typer.Argument(help="Only this account, network:native-id.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Recompute what the scores were at TIME instead of comparing the newest.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Recompute scores from what is stored, and compare.

    Windows, engagers and scores are counted again in SQL, in integers; a right score agrees to
    the thousandth. Exit code 1 says that one did not.
    """
    from dataclasses import asdict

    from renown.audit import audit as run_audit
    from renown.cli.connections import database, start
    from renown.cli.output import print_json
    from renown.cli.times import parse_time
    from streams.sinks.migrate import check_migrated

    moment = parse_time(at) if at else None
    with database(start()) as db:
        check_migrated(db)
        report = run_audit(db, account=account, at=moment)
    if account and not report.checked:
        raise RenownError(f"{account} has no score: nothing that it received is stored yet")
    if json:
        print_json(asdict(report))
    elif moment is not None:
        typer.echo(
            f"{report.checked:,} accounts at {at}: {report.accounts_above_1:,} above 1.0, "
            f"together {report.score_sum / 1000:,.3f} points"
        )
    else:
        typer.echo(f"{report.checked:,} accounts checked, {report.different:,} different")
        if report.unscored:
            typer.echo(f"{report.unscored:,} accounts have interactions but no score yet")
        for example in report.examples:
            typer.echo(f"  {example}")
    if report.different:
        raise typer.Exit(ExitCode.FAILED)
