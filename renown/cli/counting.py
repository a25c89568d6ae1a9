"""How far a long command is: a live bar on a terminal, else a line now and then; on stderr."""

import sys
import time
from typing import Final, Self, TextIO

_LINE_SECONDS: Final = 10.0


class CountDisplay:
    """Shows a number on its way to ``total``; use it as a context and call it with the number."""

    def __init__(self, label: str, total: int, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._label, self._total = label, total
        self._stream = stream or sys.stderr
        self._said_at = time.monotonic()
        self._bar: Progress | None = None
        if self._stream.isatty():
            self._bar = Progress(console=Console(file=self._stream), transient=True)
            self._task = self._bar.add_task(label, total=total)

    def __call__(self, count: int) -> None:
        """Show that ``count`` is reached."""
        if self._bar:
            self._bar.update(self._task, completed=count)
        elif (now := time.monotonic()) - self._said_at >= _LINE_SECONDS:
            self._said_at = now
            print(f"{self._label}: {count:,} of {self._total:,}", file=self._stream, flush=True)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()
