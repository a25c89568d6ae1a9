"""``renown top``."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from config.settings import Settings
    from renown.top.picture import Picture
    from renown.top.watch import Watches

EPILOG: Final = """\b
Examples:
  renown top
  renown top --once
  renown top --once --json
  renown top --once --svg top.svg
"""

_FIRST_PATIENCE: Final = 8.0
"""Seconds beyond the interval that the first picture may take."""
_NARROWEST: Final = 60
_pause: Final = time.sleep
_WIDTH_IN_A_FILE: Final = 100


def top(
    interval: Annotated[
        float, typer.Option(min=0.5, max=60, metavar="SECONDS", help="From one look to the next.")
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Show one picture and end.")] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=100, help="At most so many changes and leaders.")
    ] = 10,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a picture.")] = False,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --once: draw it as SVG.")
    ] = None,
) -> None:
    """Watch what Renown does: rates, lag, newest score changes, processes; q or Ctrl-C ends.

    It looks from outside at broker, ClickHouse and processes, and shows what does not answer.
    Rates are means over ten seconds. "Behind" counts records that are not checkpointed or stored.
    """
    from config.errors import WrongUse
    from renown.cli.connections import start, with_broker
    from renown.cli.stopping import interrupt_on_sigterm

    if svg and (json or not once):
        raise WrongUse("an SVG is one picture: give --svg with --once and without --json")
    settings = start()
    with_broker(settings)  # whether there is anything to look at
    with interrupt_on_sigterm(), _watches(settings, interval, limit) as watches:
        if once:
            _show_once(settings, watches, interval, limit, json=json, svg=svg)
        else:
            _show_on(settings, watches, interval, limit, json=json)


def _watches(settings: "Settings", interval: float, limit: int) -> "Watches":
    from renown.cli.connections import with_addresses, with_broker
    from renown.top.probes import BrokerProbe, DatabaseProbe, ProcessProbe
    from renown.top.watch import Watch, Watches

    # Each asks anew where to look: a stack that is started again has other addresses.
    return Watches(
        Watch(lambda: BrokerProbe(with_broker(settings), limit), interval),
        Watch(lambda: DatabaseProbe(with_addresses(settings, clickhouse=True), limit), interval),
        Watch(lambda: ProcessProbe(lambda: _folder(settings)), interval),
    )


def _folder(settings: "Settings") -> Path:
    from renown.cli.connections import running_stack

    stack = running_stack(settings)
    return stack.folder if stack else settings.data_dir


def _show_once(
    settings: "Settings",
    watches: "Watches",
    interval: float,
    limit: int,
    *,
    json: bool,
    svg: Path | None,
) -> None:
    from config.errors import Unreachable
    from renown.cli.output import print_json

    watches.wait(2, interval + _FIRST_PATIENCE)
    seen = watches.seen
    if not (seen.broker.newest or seen.database.newest):
        raise Unreachable(seen.broker.trouble or seen.database.trouble or "nothing answers")
    shown = _picture(settings, watches, limit)
    if json:
        print_json(shown)
    elif svg:
        from renown.top.draw import draw_svg

        _write(svg, draw_svg(shown, _WIDTH_IN_A_FILE))
    else:
        _print(shown)


def _show_on(
    settings: "Settings", watches: "Watches", interval: float, limit: int, *, json: bool
) -> None:
    import sys

    from renown.cli.output import print_json

    watches.wait(2, interval + _FIRST_PATIENCE / 2)
    if sys.stdout.isatty() and not json:
        _live(settings, watches, interval, limit)
        return
    while True:
        shown = _picture(settings, watches, limit)
        if json:
            print_json(shown)
        else:
            _print(shown)
            typer.echo()
        sys.stdout.flush()
        _pause(interval)


def _live(settings: "Settings", watches: "Watches", interval: float, limit: int) -> None:
    from rich.console import Console
    from rich.live import Live

    from renown.top.draw import draw
    from renown.top.keys import END, key_within, single_keys

    console = Console()

    def drawn() -> Any:
        return draw(_picture(settings, watches, limit), console.width, console.height)

    with single_keys() as listening, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(drawn(), refresh=True)
            if key_within(min(interval, 1.0), listening=listening) in ("q", "Q", END):
                return


def _picture(settings: "Settings", watches: "Watches", limit: int) -> "Picture":
    from renown.agent_states import agent_states
    from renown.top.picture import Agent, picture

    now = int(time.time() * 1000)
    agents = [
        Agent(
            agent=one.agent,
            networks=one.networks,
            state=one.state,
            detail=one.detail,
            published=sum(one.published.values()),
            rejected=sum(one.rejected.values()),
            behind_seconds=one.behind_seconds,
        )
        for one in agent_states(settings, now)
        if one.updated_at or one.detail
    ]
    return picture(watches.seen, agents, now_ms=now, monotonic=time.monotonic(), limit=limit)


def _print(shown: "Picture") -> None:
    from rich.console import Console

    from renown.top.draw import draw

    console = Console(highlight=False)
    console.print(draw(shown, max(_NARROWEST, console.width)))


def _write(path: Path, text: str) -> None:
    from config.errors import Unreachable

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unreachable(
            f"cannot write {path} ({error.strerror}): name a file in a folder that can be written"
        ) from error
