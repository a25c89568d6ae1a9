"""``renown demo``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agents.formats import Format
from config.errors import WrongUse
from renown.cli.up import Live

if TYPE_CHECKING:
    from renown.run.demo import Outcome
    from renown.run.options import Play

EPILOG: Final = """\b
Examples:
  renown demo
  renown demo --replay higgs-activity_time.txt.gz --format snap --once --json
  renown demo --replay mine.jsonl --speed x600
  renown demo --live bluesky               what happens there now, until Ctrl-C
"""

_NEXT: Final = """
The rows stay in ClickHouse until the next demo. Look at them:
  .venv/bin/renown query "SELECT * FROM leaderboard LIMIT 10"
  .venv/bin/renown show ACCOUNT
  .venv/bin/renown dead-letters list
Play a file of your own:
  .venv/bin/renown demo --replay FILE --format snap|jsonl|klout --once"""


def demo(
    replay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Play this file, not the sample data."),
    ] = None,
    live: Annotated[
        Live | None, typer.Option(help="Listen to this network instead, until Ctrl-C.")
    ] = None,
    format: Annotated[
        Format | None, typer.Option(help="Of the file; without it its name decides.")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, help="Play it so many times.")] = 1,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what happened before TIME.")
    ] = None,
    events: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the first N lines.")
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option(
            metavar="SPEED",
            help="real, xN (N times as fast) or max. Without it max, but the sample on a terminal"
            " takes 20 s, so that there is something to see.",
        ),
    ] = None,
    network: Annotated[
        str, typer.Option(help="Network of the accounts, where the format needs it.")
    ] = "",
    once: Annotated[
        bool, typer.Option("--once", help="End when everything is stored (without a FILE: always).")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Score workers to start.")] = 1,
    json: Annotated[
        bool, typer.Option("--json", help="Print the figures as one JSON object, last.")
    ] = False,
) -> None:
    """Start broker, ClickHouse and workers, play a data set, and end in a leaderboard.

    Everything is started afresh in a folder of its own. RENOWN_KAFKA and RENOWN_CLICKHOUSE name
    real servers to use instead of the embedded ones.
    """
    from renown.cli.connections import start
    from renown.cli.output import print_json, remark
    from renown.cli.stopping import interrupt_on_sigterm
    from renown.run.demo import Demo, run_demo
    from renown.run.feeds import listening

    if live and (replay or once):
        raise WrongUse("--live plays no file and does not end: leave out --replay and --once")
    play = _play(replay, format, repeat, until, events, speed, network)
    ends = once or (replay is None and live is None)
    settings = start()
    with interrupt_on_sigterm():
        outcome = run_demo(
            settings,
            Demo(
                play,
                live=listening(live.value) if live else None,
                once=ends,
                quiet=json,
                score_workers=workers,
            ),
            remark,
        )
    if json:
        print_json(outcome.figures)
    else:
        _tell(outcome)
    if not outcome.figures.sound:
        for example in outcome.audit.examples:
            remark(f"Different: {example}")
    raise typer.Exit(outcome.exit_code)


def _play(
    replay: Path | None,
    format: Format | None,
    repeat: int,
    until: str | None,
    events: int | None,
    speed: str | None,
    network: str,
) -> "Play":
    from agents.formats import check_format, parser_of
    from agents.pacing import parse_speed
    from renown.cli.replay import format_of
    from renown.cli.times import check_file, parse_until
    from renown.run.options import SAMPLE, SAMPLE_SPEED, Play

    path = replay or SAMPLE
    check_file(path)
    form = (format or format_of(path)) if replay else Format.JSONL
    # Before anything is started or emptied.
    check_format(path, form, parser_of(form, path, network))
    if speed is None:
        pace = SAMPLE_SPEED if replay is None and sys.stdout.isatty() else None
    else:
        pace = parse_speed(speed)
    return Play(
        path=path,
        format=form,
        speed=pace,
        until=parse_until(until) if until else None,
        repeat=repeat,
        limit=events,
        network=network,
    )


def _tell(outcome: "Outcome") -> None:
    from renown.cli.output import print_table

    for line in outcome.figures.words():
        typer.echo(line)
    typer.echo()
    rows = [
        (place, one["account"], one["score"] / 1000)
        for place, one in enumerate(outcome.figures.top, start=1)
    ]
    print_table(("#", "account", "score"), rows, title="leaderboard")
    top = outcome.figures.top
    typer.echo(_NEXT.replace("ACCOUNT", top[0]["account"]) if top else _NEXT)
