"""The progress of a replay on a terminal, on stderr."""

from datetime import UTC, datetime
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from agents.report import Progress as Moment


class ReplayBar:
    """A bar with the event time reached and the speed; call it with each moment."""

    def __init__(self, name: str) -> None:
        self._bar = Progress(
            TextColumn("{task.fields[name]}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[at]}  {task.fields[rate]:,.0f} lines/s", markup=False),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=1.0, name=name, at="", rate=0.0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, moment: Moment) -> None:
        """Show ``moment``."""
        reached = datetime.fromtimestamp(moment.at / 1000, UTC) if moment.at else None
        self._bar.update(
            self._task,
            completed=moment.fraction,
            at=f"{reached:%Y-%m-%d %H:%M}" if reached else "",
            rate=moment.rate,
        )
