"""``renown doctor``."""

from typing import Annotated, Final

import typer

from config.errors import ExitCode

EPILOG: Final = """\b
Examples:
  renown doctor
  renown doctor --json
"""


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Show every setting and check what Renown needs.

    Exit code 3: something needed cannot be reached. 2: a setting is wrong. 1: something else is.
    """
    from config.inventory import described
    from renown.cli.checks import CHECKS
    from renown.cli.connections import start
    from renown.cli.output import cell, print_json, print_table

    settings = start()
    listed = described(settings)
    findings = [finding for check in CHECKS for finding in check(settings)]
    if json:
        checks = [{"subject": x.subject, "ok": not x.trouble, "text": x.text} for x in findings]
        print_json({"settings": [setting._asdict() for setting in listed], "checks": checks})
    else:
        print_table(("setting", "value", "from", "what it is"), listed)
        typer.echo()
        for finding in findings:
            state = "wrong" if finding.trouble else "ok"
            typer.echo(f"{state:<6}{finding.subject:<12} {cell(finding.text)}")
    if trouble := max((finding.trouble for finding in findings), default=ExitCode.DONE):
        raise typer.Exit(trouble)
