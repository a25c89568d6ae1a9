"""``renown agent``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from config.errors import WrongUse

if TYPE_CHECKING:
    from config.settings import Settings

AGENTS: Final = {
    "bluesky": "the public stream of Bluesky (Jetstream over WebSocket; needs no key)",
}
"""Name → what it listens to."""

NOW, CURSOR = "now", "cursor"

_OVERLAP_MS: Final = 60_000
_UNKNOWN_MS: Final = 3_600_000

EPILOG: Final = """\b
Examples:
  renown agent                             the names there are
  renown agent bluesky                     go on where it stopped, the first time from now on
  renown agent bluesky --from now          what happens from now on
  renown agent bluesky --from 2026-05-25T14:00:00Z
  renown agent bluesky --url ws://127.0.0.1:6008/subscribe
"""


def agent(
    name: Annotated[
        str | None, typer.Argument(help="Which one; without it, the names are listed.")
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="Where to read instead of the network's own servers; again for each that may "
            "stand in for the one before.",
        ),
    ] = None,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="now|cursor|TIME",
            help="Where to begin: now, where it stopped last (cursor), or at a time; the servers "
            "keep a day or more.",
        ),
    ] = CURSOR,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Listen to a live network and publish its interactions until Ctrl-C.

    It survives lost connections and restarts: it goes on where the broker has acknowledged, and
    what is published twice counts once. While the network cannot be reached it keeps trying and
    says so now and then.
    """
    if name is None:
        _list(json=json)
        return
    if name not in AGENTS:
        raise WrongUse(f"unknown agent {name!r}: it is one of {', '.join(AGENTS)}")
    _listen(name, url or [], start, json=json)


def _list(*, json: bool) -> None:
    from renown.cli.output import print_json, print_table

    if json:
        print_json(AGENTS)
    else:
        print_table(["agent", "listens to"], list(AGENTS.items()))


def _kept_until(settings: "Settings", log: int, at: int) -> int:
    """Event time in ms up to which ClickHouse holds what an earlier log than ``log`` took.

    Where it cannot be asked or knows nothing: an hour before ``at``.
    """
    from config.errors import RenownError
    from config.settings import ClickHouseAddress
    from streams.sinks.client import Database

    url = settings.clickhouse.get_secret_value()
    try:
        with Database(ClickHouseAddress.parse(url)) as db:
            found = db.query(
                "SELECT toUnixTimestamp64Milli(min(clock)) FROM source_totals"
                " WHERE toUnixTimestamp64Milli(clock) > 0 AND log ="
                " (SELECT max(log) FROM source_totals WHERE log < %(log)s)",
                {"log": log},
            )
    except (RenownError, ValueError):
        found = []
    reached = int(found[0][0]) if found else 0
    return reached if reached > 0 else at - _UNKNOWN_MS


def _listen(name: str, urls: list[str], start: str, *, json: bool) -> None:
    from agents.clock import SystemClock
    from agents.cursor import CursorFile
    from agents.display import ListenerDisplay, words
    from agents.listener import Listener
    from agents.live import LivePublishing
    from agents.metrics import AgentMetrics
    from agents.networks import bluesky
    from agents.networks.bluesky_text import NETWORK
    from agents.owners import OwnerCache, WaitingRoom
    from agents.publisher import Publisher
    from agents.sources.jetstream import DEFAULT_URLS, JetstreamFeed
    from agents.status import STATUS_FOLDER
    from agents.stopping import stop_on_signals
    from config.broker import ensure_topics, kafka_python_options, log_incarnation
    from config.telemetry import Telemetry, new_registry
    from renown.cli.connections import start as load
    from renown.cli.connections import with_broker
    from renown.cli.output import print_json
    from renown.cli.replay import CURSORS

    begin = _begin_at(start)
    settings = with_broker(load())
    statuses, cursors = settings.data_dir / STATUS_FOLDER, settings.data_dir / CURSORS
    clock = SystemClock()
    registry = new_registry("renown-agent")
    metrics = AgentMetrics(registry, clock)
    cursor = CursorFile(cursors / f"{name}.json", {"agent": name})
    with _alone(statuses / f"{name}.lock", name), ListenerDisplay() as display:
        owners = OwnerCache(cursors / f"{name}-owners.jsonl")
        ensure_topics(settings)
        with Publisher(
            kafka_python_options(settings), settings.partitions, agent=name
        ) as publisher:
            log = log_incarnation(settings)
            live = LivePublishing(NETWORK, publisher, cursor, owners, WaitingRoom(), metrics, clock)
            if begin is not None:
                live.start_at(begin * 1000, begin)
            elif not live.resume():
                display.say("nothing was read before: starting from now on")
            elif live.state.log != log:
                at = min(live.state.at, _kept_until(settings, log, live.state.at) - _OVERLAP_MS)
                live.rewind(at * 1000, at)
                display.say("the broker's log is another one: going back to what is stored")
            live.log = log
            feed = JetstreamFeed(
                urls or DEFAULT_URLS,
                bluesky.COLLECTIONS,
                largest=bluesky.LARGEST_MESSAGE,
                clock=clock,
                say=display.say,
                place=live.state.place,
            )
            listener = Listener(
                name,
                NETWORK,
                feed,
                bluesky.read,
                live,
                metrics,
                statuses=statuses,
                clock=clock,
                tell=display.tell,
                say=display.say,
                metrics_port=settings.metrics_port,
            )
            with (
                Telemetry(
                    settings,
                    registry,
                    health={"agent": listener.alive},
                    ready={name: listener.reading, "broker": listener.broker},
                ),
                stop_on_signals(listener.stop),
            ):
                status = listener.run()
    if json:
        print_json(status)
    else:
        typer.echo(words(status))


def _begin_at(start: str) -> int | None:
    """Where to begin, in ms: 0 for with what comes next, None for at the cursor."""
    from time import time

    from renown.cli.times import parse_time
    from schemas.interaction import EARLIEST_AT

    if start == CURSOR:
        return None
    if start == NOW:
        return 0
    at = parse_time(start)
    if not EARLIEST_AT < at <= time() * 1000:
        raise WrongUse(f"--from {start}: interactions lie between 2004 and now")
    return at


@contextmanager
def _alone(path: Path, name: str) -> Iterator[None]:
    """Hold the agent's lock; raises ``WrongUse`` if another process does."""
    from config.errors import Unreachable
    from renown.locking import hold

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        holder = hold(path)
    except OSError as error:
        raise Unreachable(
            f"cannot write {path}: {error.strerror or error}; "
            "make its folder writable or choose another (RENOWN_DATA_DIR)"
        ) from None
    if holder is None:
        raise WrongUse(
            f"another agent {name} runs on {path.parent.parent}: stop it first, "
            "or set RENOWN_DATA_DIR to a folder of its own"
        )
    with holder:
        yield
