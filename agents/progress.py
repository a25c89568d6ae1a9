"""A replay's progress for people: a live line on a terminal, else a plain line every 10 s."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from agents.report import Progress

_PLAIN_SECONDS: Final = 10.0


class ProgressDisplay:
    """Shows the moments of a replay on ``stream`` (standard error); use it as a context.

    Call it with each ``Progress``. ``label`` names what is played.
    """

    def __init__(
        self,
        label: str,
        stream: TextIO | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label = label
        self._stream = stream or sys.stderr
        self._monotonic = monotonic
        self._said_at = monotonic()
        self._bar: Bar | None = None
        if self._stream.isatty():
            self._bar = Bar(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f}% {task.fields[facts]}", markup=False),
                TimeRemainingColumn(compact=True),
                console=Console(file=self._stream),
                transient=True,
            )
            self._task = self._bar.add_task(label, total=1.0, facts="")

    def __call__(self, moment: Progress) -> None:
        """Show ``moment``."""
        if self._bar:
            self._bar.update(self._task, completed=moment.fraction, facts=_facts(moment))
        elif (now := self._monotonic()) - self._said_at >= _PLAIN_SECONDS:
            self._said_at = now
            left = "" if moment.remaining is None else f", {moment.remaining:.0f} s to go"
            print(
                f"{self._label}: {moment.fraction:.0%} {_facts(moment)}{left}",
                file=self._stream,
                flush=True,
            )

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()


def _facts(moment: Progress) -> str:
    return (
        f"{moment.read:,} lines, {moment.published:,} published, {moment.rate:,.0f}/s, "
        f"event time {_utc(moment.at)}"
    )


def _utc(at: int) -> str:
    if not at:
        return "not yet known"
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
