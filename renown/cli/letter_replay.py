"""What ``renown dead-letters replay`` does: count, ask, publish, tell."""

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import typer

from config.errors import WrongUse
from config.settings import Settings
from renown.letters import Filter

if TYPE_CHECKING:
    from renown.letter_replay import Plan


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for."""

    wanted: Filter
    limit: int | None
    dry_run: bool
    yes: bool
    force: bool
    json: bool


def run_replay(settings: Settings, wishes: Wishes) -> None:
    """Count, ask, publish and tell; raises ``WrongUse`` where nobody can be asked."""
    from renown.cli.connections import database, with_broker
    from renown.cli.output import remark
    from renown.letter_replay import make_plan
    from renown.letters import count_replayed, database_time, waiting_letters
    from streams.sinks.migrate import check_migrated

    asks = not (wishes.dry_run or wishes.yes)
    if asks and (wishes.json or not sys.stdin.isatty()):
        raise WrongUse("nobody can be asked here: give --yes to publish, or --dry-run to count")
    if not wishes.dry_run:
        settings = with_broker(settings)
    with database(settings) as db:
        check_migrated(db)
        # What dies again meanwhile is for another run.
        wanted = replace(wishes.wanted, stored_by=database_time(db))
        already = 0 if wishes.force else count_replayed(db, wanted)
        plan = make_plan(
            waiting_letters(db, wanted, again=wishes.force), limit=wishes.limit, force=wishes.force
        )
        if not wishes.json:
            _show_plan(plan, already)
        published, stopped = 0, False
        if plan.records and not wishes.dry_run:
            if asks and not typer.confirm(
                f"Publish {plan.records:,} records again?", default=False, err=True
            ):
                raise typer.Abort
            published, stopped = _publish(settings, db, wanted, plan.records, wishes)
    _tell(plan, already, published, wishes)
    if stopped:
        remark(f"Stopped after {published:,} of {plan.records:,}; the same command goes on here")
        raise typer.Exit(130)


def _publish(
    settings: Settings, db: Any, wanted: Filter, records: int, wishes: Wishes
) -> tuple[int, bool]:
    """How many were published, and whether somebody stopped it."""
    from threading import Event

    from agents.publisher import Publisher
    from agents.stopping import stop_on_signals
    from config.broker import check_broker, kafka_python_options
    from renown.cli.counting import CountDisplay
    from renown.letter_replay import replay_letters
    from renown.letters import note_replays, waiting_letters

    check_broker(settings)
    stop = Event()
    with (
        Publisher(
            kafka_python_options(settings), settings.partitions, agent="dead-letters"
        ) as publisher,
        CountDisplay("publishing again", records) as tell,
        stop_on_signals(stop.set),
    ):
        published = replay_letters(
            waiting_letters(db, wanted, again=wishes.force),
            publisher,
            lambda letters: note_replays(db, letters),
            limit=records,
            force=wishes.force,
            tell=tell,
            stopping=stop.is_set,
        )
    return published, stop.is_set() and published < records


def _show_plan(plan: "Plan", already: int) -> None:
    from renown.cli.output import cell

    def listed(counts: dict[str, int]) -> str:
        return ", ".join(f"{count:,} {cell(name)}" for name, count in counts.items())

    typer.echo(f"{plan.records:,} records can be published again ({plan.bytes:,} bytes)")
    if plan.records:
        typer.echo(f"  to: {listed(plan.topics)}")
        typer.echo(f"  they died of: {listed(plan.reasons)}")
    if plan.refused:
        typer.echo(f"cannot be: {listed(plan.refused)}")
        for place in plan.refused_places:
            typer.echo(f"  {cell(place)}")
        if (more := sum(plan.refused.values()) - len(plan.refused_places)) > 0:
            typer.echo(f"  and {more:,} more")
    if already:
        typer.echo(f"{already:,} were published again before and are left out (--force takes them)")


def _tell(plan: "Plan", already: int, published: int, wishes: Wishes) -> None:
    from renown.cli.output import print_json

    if wishes.json:
        print_json(
            {
                "dry_run": wishes.dry_run,
                "found": plan.records,
                "published": published,
                "bytes": plan.bytes,
                "topics": plan.topics,
                "reasons": plan.reasons,
                "refused": plan.refused,
                "refused_places": plan.refused_places,
                "replayed_before": already,
            }
        )
    elif not wishes.dry_run:
        typer.echo(f"{published:,} records published again and acknowledged")
