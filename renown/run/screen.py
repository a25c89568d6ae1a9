"""What a person sees while events flow: a live screen on a terminal, else a line now and then."""

import sys
import time
from collections.abc import Callable
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from renown.queries import Place
from renown.run.feeds import Feed

_LINE_SECONDS = 3.0


class Screen(Protocol):
    """Shows the state of a run."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def show(self, feed: Feed, behind: tuple[int, int], rows: int, leaders: list[Place]) -> None:
        """``behind``: records to be scored and to be stored; ``rows``: interactions stored."""


def open_screen(*, quiet: bool, say: Callable[[str], None]) -> Screen:
    """The live screen if stdout is a terminal and may be used, else lines through ``say``."""
    return LiveScreen() if sys.stdout.isatty() and not quiet else LineScreen(say)


class LiveScreen:
    """Stages and leaderboard, drawn again a few times a second."""

    def __init__(self) -> None:
        self._live = Live(console=Console(), refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, feed: Feed, behind: tuple[int, int], rows: int, leaders: list[Place]) -> None:
        """Draw."""
        stages = Text(_stages(feed, behind, rows), style="bold")
        table = Table(title="leaderboard", title_justify="left", pad_edge=False, box=None)
        table.add_column("#", justify="right")
        table.add_column("account")
        table.add_column("score", justify="right")
        table.add_column("momentum", justify="right")
        table.add_column("engagers 24 h", justify="right")
        for place in leaders:
            table.add_row(
                str(place.rank),
                Text(place.profile),
                f"{place.points:.3f}",
                str(place.momentum),
                f"{place.engagers_24h:,}",
            )
        waiting = Text("waiting for the first scores", style="dim")
        self._live.update(Group(stages, table if leaders else waiting))


class LineScreen:
    """One line every few seconds."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said_at = time.monotonic()
        self._said = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, feed: Feed, behind: tuple[int, int], rows: int, leaders: list[Place]) -> None:
        """Say how far it is, if the last time is long enough ago."""
        now = time.monotonic()
        if now - self._said_at < _LINE_SECONDS:
            return
        best = f", best {leaders[0].profile} {leaders[0].points:.1f}" if leaders else ""
        line = _stages(feed, behind, rows) + best
        if line != self._said:
            self._said_at, self._said = now, line
            self._say(line)


def _stages(feed: Feed, behind: tuple[int, int], rows: int) -> str:
    if feed.ended and behind == (0, 0):
        return f"{feed.words()}; all of it is scored and stored, rows {rows:,}"
    return f"{feed.words()}; to score {behind[0]:,}, to store {behind[1]:,}, rows {rows:,}"
