"""``renown replay``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from agents.formats import Format
from config.errors import WrongUse

if TYPE_CHECKING:
    from agents.report import ReplayReport
    from config.settings import Settings

_FORMAT_OF_SUFFIX: Final = {
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".tsv": Format.KLOUT,
    ".txt": Format.SNAP,
}
CURSORS: Final = "cursors"
"""Folder of the cursors inside the data folder."""

EPILOG: Final = """\b
Examples:
  renown replay votes.jsonl --speed x60
  renown replay higgs-activity_time.txt.gz --until 2012-07-05T00:00:00Z
  renown replay open_set_tw.tsv --format klout
"""


def replay(
    file: Annotated[Path, typer.Argument(help="The file; .gz is read as it is.")],
    format: Annotated[
        Format | None,
        typer.Option(
            help="snap: actor target time RT|MT|RE. jsonl: Renown's own. klout: when-to-post TSV."
            " Without it the name of the file decides.",
        ),
    ] = None,
    speed: Annotated[
        str, typer.Option(metavar="SPEED", help="real, xN (N times as fast) or max.")
    ] = "max",
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what happened before TIME.")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, help="Play it so many times.")] = 1,
    network: Annotated[
        str, typer.Option(help="Network of the accounts, where the format needs it.")
    ] = "",
    restart: Annotated[
        bool, typer.Option("--restart", help="Forget where an interrupted replay stopped.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Publish the interactions of a file, in its order.

    After an interruption the same command goes on where it stopped. What is published twice
    counts once.
    """
    from agents.pacing import parse_speed
    from agents.progress import ProgressDisplay
    from agents.publisher import Publisher
    from agents.sources.replay import Replay, replay_cursor
    from agents.stopping import stop_on_signals
    from config.broker import ensure_topics, kafka_python_options, log_incarnation
    from renown.cli.connections import start, with_broker
    from renown.cli.times import check_file, parse_until

    pace = parse_speed(speed)
    end = parse_until(until) if until else None
    check_file(file)
    form = format or format_of(file)
    settings = with_broker(start())
    ensure_topics(settings)
    cursor = replay_cursor(
        settings.data_dir / CURSORS,
        file,
        form,
        destination=str(log_incarnation(settings)),
        until=end,
        repeat=repeat,
        network=network,
    )
    if restart:
        cursor.clear()
    _warn_if_late(settings, file, form, network)
    options = kafka_python_options(settings)
    with (
        Publisher(options, settings.partitions, agent="replay") as publisher,
        ProgressDisplay(file.name) as tell,
    ):
        source = Replay(
            file,
            form,
            publisher,
            speed=pace,
            until=end,
            repeat=repeat,
            network=network,
            cursor=cursor,
            progress=tell,
        )
        with stop_on_signals(source.stop):
            report = source.run()
    _tell(report, json=json)
    if not report.finished:
        from renown.cli.output import remark

        remark("Interrupted; the same command goes on here")
        raise typer.Exit(130)


def format_of(file: Path) -> Format:
    """The format that the name of ``file`` says; raises ``WrongUse`` if it says none."""
    suffixes = [suffix for suffix in file.suffixes if suffix != ".gz"]
    found = _FORMAT_OF_SUFFIX.get(suffixes[-1]) if suffixes else None
    if found is None:
        names = ", ".join(f"--format {format.value}" for format in Format)
        raise WrongUse(f"the name {file.name} does not say its format: add one of {names}")
    return found


def _warn_if_late(settings: "Settings", file: Path, form: Format, network: str) -> None:
    """Say beforehand that events count as late, as they change no score then."""
    from renown.cli.lateness import first_event, late_before
    from renown.cli.output import cell, remark

    begins = first_event(file, form, network)
    border = late_before(settings) if begins is not None else None
    if begins is not None and border is not None and begins < border:
        remark(
            f"{file.name} begins at {cell(begins)} UTC. Events before {cell(border)} are late:"
            " more than 90 days behind the newest one here, they change no score. Play older"
            " events into a stack of their own: renown demo --replay, or another RENOWN_DATA_DIR"
        )


def _tell(report: "ReplayReport", *, json: bool) -> None:
    from renown.cli.output import print_json

    if json:
        print_json(report)
        return
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.published.items())
    rate = report.read / report.seconds if report.seconds else 0.0
    counts: dict[str, Any] = {
        "folded": report.folded,
        "self": report.self_dropped,
        "after the time given": report.beyond,
        "rejected": sum(report.rejected.values()),
    }
    rest = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    typer.echo(
        f"{report.read:,} lines read, {report.published_total:,} published ({kinds or 'none'})"
        f"{'; ' + rest if rest else ''}; {report.seconds:.1f} s, {rate:,.0f} lines/s"
    )
    if report.rejected:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.rejected.items())
        typer.echo(f"rejected: {reasons}; renown dead-letters list shows each")
