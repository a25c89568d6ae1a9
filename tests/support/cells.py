"""Windows driven with invented rows, and what they hold, by name."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from schemas.hashing import hash64
from schemas.kinds import POST, ROW_KINDS
from schemas.texts import TextColumn
from streams.core.moved import Moved
from streams.core.windows import Windows
from streams.kernels.cells import NO_CELL, NO_HOUR, NO_POSTS
from streams.kernels.entry_sums import count_of, weight_of
from streams.kernels.score_arrays import CODE_BITS, END, KIND_BITS, Columns
from tests.support.weighed import MODEL, Counted, Row


class NamedWindows:
    """Windows, with what their cells hold by (target, network)."""

    def __init__(self, windows: Windows | None = None) -> None:
        self.windows = windows or new_windows()

    def apply(self, rows: Sequence[Row]) -> None:
        """Count rows as one batch."""
        self.windows.apply(columns_of(rows))

    def recall(self, rows: Sequence[Row]) -> None:
        """Take rows in as one batch; they count later."""
        self.windows.recall(columns_of(rows))

    def advance(self, hour: int) -> Moved:
        """Let the hour pass."""
        return self.windows.advance(hour)

    def restored(self) -> "NamedWindows":
        """A copy through a snapshot."""
        copy = NamedWindows(new_windows())
        copy.windows.load([self.windows.snapshot(0)])
        return copy

    def cells(self) -> Iterator[tuple[tuple[str, int], int]]:
        """Each (target, network) and its cell."""
        return cells_of(self.windows)

    def held(self) -> dict[tuple[str, int], Counted]:
        """Cells that hold anything at all."""
        cells = self.windows.cells
        result = {}
        for name, cell in self.cells():
            poster, counts = int(cells.poster[cell]), self.windows.counts(cell)
            none = [0] * len(MODEL.horizons_h)
            posts = none if poster == NO_POSTS else cells.posts[poster].tolist()
            content = Counted(
                tuple(cells.weights[cell].tolist()),
                tuple(counts[:, 0].tolist()),
                tuple(map(tuple, counts[:, 1:].T.tolist())),
                tuple(posts),
            )
            received = content.weights + content.interactions + content.posts
            if any(received) or any(map(any, content.distinct)):
                result[name] = content
        return result

    def newest(self) -> dict[tuple[str, int], int]:
        """The newest hour of each cell that has one in the longest horizon."""
        hours = {name: int(self.windows.cells.last[cell]) for name, cell in self.cells()}
        since = self.windows.now - MODEL.longest_h
        return {name: hour for name, hour in hours.items() if hour >= since}

    def known_since(self) -> dict[tuple[str, int], int]:
        """The earliest hour of each cell that has one, but where nobody asks, that moment."""
        now = self.windows.now
        first = {name: int(self.windows.cells.first[cell]) for name, cell in self.cells()}
        return {n: max(h, now - MODEL.horizons_h[-2]) for n, h in first.items() if h <= now}


def new_windows(*, named: int | None = None) -> Windows:
    """Empty windows of the score model; ``named``: above, engagers are sampled."""
    sizes = MODEL.horizons_h, len(MODEL.class_weights), len(ROW_KINDS)
    return Windows(*sizes, exact=named is None, named=named or 0)


def columns_of(rows: Sequence[Row]) -> Columns:
    """The rows as the kernels take them."""
    names = TextColumn.of([r.target for r in rows])
    return Columns(
        names.data,
        names.places,
        np.array([r.network for r in rows], np.uint8),
        np.array([hash64(r.actor) for r in rows], np.uint64),
        np.array([r.hour for r in rows], np.int64),
        np.array([r.cls for r in rows], np.uint8),
        np.array([r.kind for r in rows], np.uint8),
        np.array([r.weight for r in rows], np.int64),
        np.array([r.undo for r in rows], np.bool_),
    )


def cells_of(windows: Windows) -> Iterator[tuple[tuple[str, int], int]]:
    """Each (account, network) and its cell."""
    for account in np.flatnonzero(windows.cells.name_size[: windows.top]).tolist():
        cell = int(windows.cells.head[account])
        while cell != NO_CELL:
            yield (windows.name(account), int(windows.arrays.cell_rows[cell]["network"])), cell
            cell = int(windows.cells.following[cell])


def sums_by_kind(windows: Windows, cell: int) -> list[list[list[int]]]:
    """Horizon → kind → weight and interactions of a cell, from what its engagers did by hour."""
    arrays, now = windows.arrays, windows.now
    sums = np.zeros((len(arrays.horizons), len(ROW_KINDS), 2), np.int64)
    pair = int(arrays.cell_rows[cell]["pair"])
    while pair != END:
        entry = int(arrays.pair_rows[pair]["entry"])
        while entry != END:
            row = arrays.entry_rows[entry]
            code = int(row["key"])
            for horizon, hours in enumerate(arrays.horizons.tolist()):
                if now - hours <= code >> CODE_BITS <= now:
                    kind = code & (1 << KIND_BITS) - 1
                    sums[horizon, kind] += weight_of(arrays, entry), count_of(arrays, entry)
            entry = int(row["older"])
        pair = int(arrays.pair_rows[pair]["following"])
    return sums.tolist()


def newest_hours(rows: Iterable[Row], now: int) -> dict[tuple[str, int], int]:
    """What ``NamedWindows.newest`` must be for rows that are live."""
    result: dict[tuple[str, int], int] = {}
    for r in rows:
        if now - MODEL.longest_h <= r.hour <= now and r.kind != POST:
            cell = (r.target, r.network)
            result[cell] = max(r.hour, result.get(cell, NO_HOUR))
    return result


def first_hours(rows: Iterable[Row], now: int) -> dict[tuple[str, int], int]:
    """What ``NamedWindows.known_since`` must be for rows that are live."""
    result: dict[tuple[str, int], int] = {}
    for r in rows:
        if now - MODEL.longest_h <= r.hour <= now and r.kind != POST:
            cell = (r.target, r.network)
            hour = max(r.hour, now - MODEL.horizons_h[-2])
            result[cell] = min(hour, result.get(cell, now))
    return result
