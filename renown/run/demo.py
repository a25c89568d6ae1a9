"""The main job on one machine, from a file to a leaderboard."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn

from config.broker import log_incarnation
from config.errors import ExitCode
from config.settings import ClickHouseAddress, Settings
from renown.audit import AuditReport, audit
from renown.folders import DEMO_FOLDER
from renown.queries import Place, leaderboard, run_report
from renown.run.feeds import Agent, Feed, LiveFeed
from renown.run.once import Completion
from renown.run.options import Play
from renown.run.player import Player
from renown.run.report import Figures, RunTimes
from renown.run.screen import Screen, open_screen
from renown.run.stack import Stack
from streams.sinks.client import Database
from streams.sinks.errors import Unavailable

_LOOK_SECONDS = 0.2
_ASK_SECONDS = 1.0
_SHOWN = 10

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Demo:
    """How to run: ``once`` ends when everything played is stored, else Ctrl-C does.

    ``live``: what feeds it in place of ``play``; such a run never ends by itself.
    """

    play: Play = field(default_factory=Play)
    live: Agent | None = None
    once: bool = True
    quiet: bool = False
    score_workers: int = 1


@dataclass(slots=True)
class Outcome:
    """What came of a run that ended by itself."""

    figures: Figures
    audit: AuditReport

    @property
    def exit_code(self) -> ExitCode:
        """0 unless the audit found a difference."""
        return ExitCode.DONE if self.figures.sound else ExitCode.FAILED


def run_demo(
    settings: Settings,
    demo: Demo,
    say: Say,
    *,
    during: Callable[[Stack, Player], None] | None = None,
) -> Outcome:
    """Start a fresh stack, play, watch, and report.

    ``during`` is called again and again while events flow: tests disturb the stack with it.
    """
    began = time.monotonic()
    times = RunTimes()
    settings = settings.model_copy(update={"once": demo.once})
    folder = settings.data_dir / DEMO_FOLDER
    with Stack(settings, folder, fresh=True, score_workers=demo.score_workers, say=say) as stack:
        times.start = time.monotonic() - began
        if demo.live:
            stack.start_agent(demo.live.name, demo.live.arguments)
            _watch_live(stack, LiveFeed(folder, demo.live), demo, say)
        if not demo.once:
            say("It goes on until Ctrl-C; other commands can look at it meanwhile")
        player = Player(stack.settings, demo.play)
        url = stack.settings.clickhouse.get_secret_value()
        completion = Completion(stack.settings)
        try:
            with (
                Database(ClickHouseAddress.parse(url)) as db,
                open_screen(quiet=demo.quiet, say=say) as screen,
            ):
                player.start()
                flow_began = time.monotonic()
                disturb = partial(during, stack, player) if during else lambda: None
                watch = _Watch(stack, player, db, screen, disturb)
                completion.wait(lambda: player.playing or not demo.once, watch)
                times.flow = time.monotonic() - flow_began
                if watch.first_row_at is not None:
                    times.first_row = watch.first_row_at - began
                log = log_incarnation(stack.settings)
                audited = audit(db, log=log)
                times.audit = time.monotonic() - flow_began - times.flow
                figures = Figures.of(player.report, run_report(db, log, _SHOWN), audited, times)
                return Outcome(figures, audited)
        finally:
            player.stop()
            completion.close()


def _watch_live(stack: Stack, feed: Feed, demo: Demo, say: Say) -> NoReturn:
    """Show what comes in until Ctrl-C."""
    say("It goes on until Ctrl-C; other commands can look at it meanwhile")
    url = stack.settings.clickhouse.get_secret_value()
    completion = Completion(stack.settings)
    try:
        with (
            Database(ClickHouseAddress.parse(url)) as db,
            open_screen(quiet=demo.quiet, say=say) as screen,
        ):
            completion.wait(lambda: True, _Watch(stack, feed, db, screen))
    finally:
        completion.close()
    raise RuntimeError("a live run ended by itself")


class _Watch:
    """Looks at the run while it goes on; a ClickHouse that is away is no reason to end it."""

    def __init__(
        self,
        stack: Stack,
        feed: Feed,
        db: Database,
        screen: Screen,
        during: Callable[[], None] = lambda: None,
    ) -> None:
        self._stack, self._feed, self._db, self._screen = stack, feed, db, screen
        self._during = during
        self._asked_at = 0.0
        self._rows = 0
        self._leaders: list[Place] = []
        self.first_row_at: float | None = None

    def __call__(self, behind: tuple[int, int]) -> None:
        self._during()
        self._stack.watch()
        now = time.monotonic()
        if now - self._asked_at > (_ASK_SECONDS if self._rows else _LOOK_SECONDS):
            self._asked_at = now
            with suppress(Unavailable):
                self._ask()
        self._screen.show(self._feed, behind, self._rows, self._leaders)

    def _ask(self) -> None:
        self._rows = int(self._db.query("SELECT count() FROM interactions_rows")[0][0])
        if self._rows and self.first_row_at is None:
            self.first_row_at = time.monotonic()
        if self._rows:
            self._leaders = leaderboard(self._db, _SHOWN)
