"""Windows driven with invented rows, and what they hold, by name."""

from collections.abc import Iterable, Sequence

import numpy as np

from schemas.hashing import hash64
from schemas.kinds import KINDS
from streams.core.panes import NO_HOUR
from streams.core.windows import Moved, Windows
from tests.support.weighed import MODEL, Counted, Row


class NamedWindows:
    """Windows whose cells are found by (target, network)."""

    def __init__(self) -> None:
        self.windows = new_windows()
        self.cells: dict[tuple[str, int], int] = {}

    def apply(self, rows: Sequence[Row]) -> None:
        """Count rows as one batch."""
        cells = [self.cells.setdefault((r.target, r.network), len(self.cells)) for r in rows]
        self.windows.reserve(len(self.cells))
        self.windows.apply(
            np.array(cells, np.int64),
            np.array([hash64(r.actor) for r in rows], np.uint64),
            np.array([r.hour for r in rows], np.int64),
            np.array([r.cls for r in rows], np.int64),
            np.array([r.kind for r in rows], np.int64),
            np.array([r.weight for r in rows], np.int64),
            np.array([r.undo for r in rows], np.bool_),
        )

    def advance(self, hour: int) -> Moved:
        """Let the hour pass."""
        return self.windows.advance(hour)

    def restored(self) -> "NamedWindows":
        """A copy through a snapshot."""
        copy = NamedWindows()
        copy.windows.load(self.windows.snapshot())
        copy.cells = dict(self.cells)
        return copy

    def held(self) -> dict[tuple[str, int], Counted]:
        """Cells that hold anything at all."""
        windows = self.windows
        result = {}
        for name, cell in self.cells.items():
            content = Counted(
                tuple(windows.weights[:, cell].sum(-1).tolist()),
                tuple(windows.interactions[:, cell].sum(-1).tolist()),
                tuple(map(tuple, windows.distinct[:, :, cell].tolist())),
            )
            if any(content.weights) or any(content.interactions) or any(map(any, content.distinct)):
                result[name] = content
        return result

    def newest(self) -> dict[tuple[str, int], int]:
        """The newest hour of each cell that has one in the longest horizon."""
        windows = self.windows
        hours = {name: int(windows.last[cell]) for name, cell in self.cells.items()}
        return {name: hour for name, hour in hours.items() if hour >= windows.since}


def new_windows() -> Windows:
    """Empty windows of the score model."""
    return Windows(MODEL.horizons_h, len(MODEL.class_weights), len(KINDS))


def newest_hours(rows: Iterable[Row], now: int) -> dict[tuple[str, int], int]:
    """What ``NamedWindows.newest`` must be for rows that are live."""
    result: dict[tuple[str, int], int] = {}
    for r in rows:
        if now - MODEL.longest_h <= r.hour <= now:
            cell = (r.target, r.network)
            result[cell] = max(r.hour, result.get(cell, NO_HOUR))
    return result
