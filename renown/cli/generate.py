"""``renown generate``."""

import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, Self

import typer

from config.errors import RenownError, WrongUse

if TYPE_CHECKING:
    from agents.pacing import Speed
    from agents.sources.generate import Generate, GenerateReport, Pacing
    from agents.sources.generate_status import GenerateStatus
    from agents.world.world import WorldOptions
    from config.settings import Settings

LINGER_MS: Final = 100
COMPRESSION: Final = "lz4"
BATCH_BYTES: Final = 256 * 1024
"""How records wait for others before they are sent; deploy/decisions/0009 has the measurements."""

_MAX: Final = "max"
_FASTEST: Final = 1_000_000.0
_SLOWEST: Final = 0.001
_UNPACED_RATE: Final = 50_000.0
"""What an unpaced world takes for its rate where it has to plan ahead."""

_DAY_SECONDS: Final = 86_400.0
_LINE_SECONDS: Final = 30.0

EPILOG: Final = """\b
Examples:
  renown generate --rate 2000                       live, until Ctrl-C
  renown generate --events 20000 --speed max        the events up to now, all at once
  renown generate --start 2025-03-01 --speed x3600 --seed 7
  renown generate --rate max --seconds 60           as many as the broker takes
"""


def generate(
    rate: Annotated[
        str, typer.Option(metavar="N", help="Events a second of event time; max: no limit.")
    ] = "100",
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Which world.")] = 1,
    accounts: Annotated[
        int, typer.Option(metavar="N", help="How many live in it: 200 to 1,000,000.")
    ] = 20_000,
    events: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="End after so many events.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, metavar="S", help="End after so many seconds.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="TIME", help="Event time at which it begins; else now.")
    ] = None,
    speed: Annotated[
        str,
        typer.Option(
            metavar="SPEED", help="real, xN or max, until event time has caught up with now."
        ),
    ] = "real",
    dirt: Annotated[
        float, typer.Option(metavar="SHARE", help="Part of the records that cannot be used: 0-0.5.")
    ] = 0.001,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Publish a made-up world, live and without an end.

    Accounts on eight networks follow the hours of their homes, and few of them are met by many.
    Posts go round, campaigns and rings of fresh accounts come and go; some events are taken back,
    come twice or late, and a few records are broken. Seed, accounts, rate, dirt and start decide
    every event. Another start gives other ids, so a restart never repeats one.
    """
    from agents.pacing import parse_speed
    from agents.publisher import Publisher
    from agents.sources.generate import Generate, Pacing
    from agents.stopping import stop_on_signals
    from agents.world.people import People
    from agents.world.world import World
    from config.broker import ensure_topics, kafka_python_options
    from config.logging import configure_logging
    from config.settings import load_settings
    from renown.cli.connections import with_broker
    from renown.cli.output import remark

    pace = parse_speed(speed)
    pacing, options = _plan(rate, seed, accounts, events, start, pace, dirt)
    people = People(seed, accounts)
    settings = load_settings()
    configure_logging(settings, libraries=False)
    settings = with_broker(settings)
    ensure_topics(settings)
    with ExitStack() as cleanup:
        publisher = cleanup.enter_context(
            Publisher(
                kafka_python_options(settings),
                settings.partitions,
                agent="generate",
                compression=COMPRESSION,
                linger_ms=LINGER_MS,
                batch_bytes=BATCH_BYTES,
            )
        )
        status = _status(settings, cleanup)
        display = cleanup.enter_context(_Display())

        def tell(source: Generate) -> None:
            status(source)
            display(source)

        if pacing is not Pacing.HISTORY:
            options = replace(options, start=_now())  # all that took time is done
        source = Generate(
            World(options, people),
            publisher,
            pacing=pacing,
            speed=pace,
            events=events,
            seconds=seconds,
            tell=tell,
        )
        try:
            with stop_on_signals(source.stop):
                report = source.run()
        except RenownError as error:
            status.ended(source, str(error))
            raise
        status.ended(source)
    _tell(report, json=json)
    if not report.finished and (events or seconds):
        remark("Interrupted before its end")
        raise typer.Exit(130)


def _plan(
    rate: str,
    seed: int,
    accounts: int,
    events: int | None,
    start: str | None,
    pace: "Speed",
    dirt: float,
) -> tuple["Pacing", "WorldOptions"]:
    """What the options mean; raises ``WrongUse`` where they mean nothing."""
    from agents.sources.generate import Pacing
    from agents.world.world import WorldOptions
    from renown.cli.times import parse_time

    now = _now()
    begin, pacing = now, Pacing.LIVE
    if rate == _MAX:
        if start is not None or pace != 1.0:
            raise WrongUse("--rate max is live: with --start or --speed give a number of events")
        number, pacing = _UNPACED_RATE, Pacing.UNPACED
    else:
        number = _rate(rate)
        if start is not None:
            begin, pacing = parse_time(start), Pacing.HISTORY
        elif pace != 1.0:
            begin -= int((events / number if events else _DAY_SECONDS) * 1000)
            pacing = Pacing.HISTORY
    if begin > now:
        raise WrongUse(f"--start {start} lies in the future: give a time up to now")
    return pacing, WorldOptions(seed=seed, start=begin, rate=number, accounts=accounts, dirt=dirt)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not _SLOWEST <= rate <= _FASTEST:
        raise WrongUse(
            f"--rate {text}: give max or a number of events a second, "
            f"{_SLOWEST:g} to {_FASTEST:,.0f}"
        )
    return rate


def _status(settings: "Settings", cleanup: ExitStack) -> "GenerateStatus":
    """The teller of status file and metrics, which are served from here on."""
    from agents.metrics import AgentMetrics
    from agents.sources.generate_status import GenerateStatus
    from agents.status import STATUS_FOLDER
    from config.telemetry import Telemetry, new_registry

    registry = new_registry("renown-agent")
    status = GenerateStatus(
        AgentMetrics(registry), settings.data_dir / STATUS_FOLDER, port=settings.metrics_port
    )
    health, ready = {"source": status.health}, {"broker": status.ready}
    cleanup.enter_context(Telemetry(settings, registry, health=health, ready=ready))
    return status


class _Display:
    """Progress on stderr: a line that changes on a terminal, else one now and then."""

    def __init__(self) -> None:
        from rich.console import Console

        self._live = Console(stderr=True).status("") if sys.stderr.isatty() else None
        self._said_at, self._said = time.monotonic(), 0

    def __call__(self, source: "Generate") -> None:
        now, events = time.monotonic(), source.world.ledger.events
        if not self._live and now - self._said_at < _LINE_SECONDS:
            return
        passed = now - self._said_at
        line = _moment(source, (events - self._said) / passed if passed else 0.0)
        self._said_at, self._said = now, events
        if self._live:
            from rich.markup import escape

            self._live.update(escape(line))
        else:
            typer.echo(line, err=True)

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()


def _moment(source: "Generate", rate: float) -> str:
    from renown.cli.output import cell

    report = source.report()
    news = "".join(f"; {one}" for one in source.world.news(report.reached))
    reached = cell(_utc(report.reached))
    return f"{report.events:,} events, {rate:,.0f}/s, event time {reached} UTC{news}"


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC)


def _tell(report: "GenerateReport", *, json: bool) -> None:
    from renown.cli.output import cell, print_json

    if json:
        print_json(report)
        return
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in report.accepted.items() if n)
    rest = {
        "taken back": report.undone,
        "undos of nothing": report.unmatched,
        "repetitions": report.duplicates,
        "too late": report.late,
        "unusable": sum(report.dead.values()),
        "posts": report.posts,
    }
    others = ", ".join(f"{n:,} {what}" for what, n in rest.items() if n)
    rate = report.events / report.seconds if report.seconds else 0.0
    typer.echo(
        f"{report.events:,} events in {report.seconds:.1f} s, {rate:,.0f}/s, event time "
        f"{cell(_utc(report.start))} to {cell(_utc(report.reached))} UTC"
    )
    typer.echo(f"new     {kinds or 'none'}")
    typer.echo(f"besides {others or 'nothing'}")
    if report.skipped_seconds:
        typer.echo(
            f"left out {report.skipped_seconds:,.1f} s of event time: it stood still, or the "
            "broker did not take so many"
        )
    typer.echo(f"again   --seed {report.seed} --start {_exact(report.start)} and the same options")


def _exact(at: int) -> str:
    return f"{_utc(at):%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
