"""``renown``: the commands, and what a person sees when one of them cannot do its work.

Whatever happens, stderr gets one line that says what is wrong and what to do. A command imports
what it needs when it runs, so that ``renown --help`` is quick.
"""

import os
import sys
import traceback
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Final

import typer

from config.errors import ExitCode, RenownError
from renown.cli import (
    agent,
    agents,
    audit,
    bench,
    completion,
    dead_letters,
    demo,
    doctor,
    generate,
    migrate,
    monitor,
    query,
    rebuild,
    replay,
    show,
    top,
    up,
    worker,
)

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C, as shells have it."""

_EPILOG: Final = """\b
Examples:
  renown demo                              play the sample data, end in a leaderboard
  renown up                                broker, ClickHouse and workers on this machine
  renown replay votes.jsonl                publish a file of one's own
  renown generate --rate 2000              publish a made-up world
  renown top                               watch rates, lag and score changes
  renown show twitter:14138                the score of an account and what it follows from
  renown query "SELECT * FROM leaderboard LIMIT 10"
  renown doctor                            is everything as it should be?

\b
Exit codes: 0 done, 1 the run found a difference or failed, 2 wrong use, 3 something needed is
unreachable, 130 ended by Ctrl-C. Settings are variables RENOWN_…, also read from .env; renown
doctor lists them.
"""

app = typer.Typer(
    name="renown",
    help="Open, real-time social influence scoring.",
    epilog=_EPILOG,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Say the version and end.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"renown {installed('renown')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitCode.WRONG_USE)


app.command(epilog=demo.EPILOG, short_help="Play a data set through everything.")(demo.demo)
app.command(epilog=up.EPILOG, short_help="Run everything on this machine.")(up.up)
app.command(epilog=replay.EPILOG)(replay.replay)
app.command(epilog=agent.EPILOG, short_help="Listen to a live network.")(agent.agent)
app.command(epilog=generate.EPILOG, short_help="Publish a made-up world.")(generate.generate)
app.command(epilog=agents.EPILOG, short_help="List the agents and how far each is.")(agents.agents)
app.command(epilog=worker.EPILOG)(worker.worker)
app.command(epilog=monitor.EPILOG)(monitor.monitor)
app.command(epilog=migrate.EPILOG)(migrate.migrate)
app.command(epilog=rebuild.EPILOG, short_help="Make the state again from ClickHouse.")(
    rebuild.rebuild
)
app.command(epilog=top.EPILOG, short_help="Watch what Renown does.")(top.top)
app.command(epilog=show.EPILOG, short_help="Show an account's score and its causes.")(show.show)
app.command(epilog=query.EPILOG)(query.query)
app.command(epilog=audit.EPILOG)(audit.audit)
app.add_typer(dead_letters.app, name="dead-letters", short_help="Records that could not be used.")
app.command(
    epilog=bench.EPILOG,
    short_help="Measure this machine.",
    context_settings={"allow_interspersed_args": False},
)(bench.bench)
app.command(epilog=doctor.EPILOG)(doctor.doctor)
app.command(epilog=completion.EPILOG, short_help="Print a script for a shell.")(
    completion.completion
)


def run() -> None:
    """Run the command of ``sys.argv`` and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # An account may hold what a terminal's encoding has not.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns its exit code and never raises for what a person can act on."""
    if completion.VARIABLE in os.environ:
        completion.answer_shells()
    try:
        return int(app(args=arguments, prog_name="renown", standalone_mode=False) or 0)
    except RenownError as error:
        _complain(str(error), error)
        return error.exit_code
    except typer.TyperException as error:
        _complain(_usage(error), error)
        return ExitCode.WRONG_USE
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        _complain(_unexpected(error), error)
        return ExitCode.FAILED


def _complain(line: str, error: Exception) -> None:
    from config.logging import last_words

    debugging = os.environ.get("RENOWN_LOG_LEVEL", "").upper() == "DEBUG"
    typer.echo(last_words(" ".join(line.split()), error if debugging else None), err=True)


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "renown"
    text = error.format_message()
    return f"{text}{'' if text.endswith(('.', '?')) else '.'} See {command} --help"


def _unexpected(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"unexpected {type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno}); "
        "this is a fault of Renown: RENOWN_LOG_LEVEL=DEBUG shows the traceback to report"
    )
