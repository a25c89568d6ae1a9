"""How many interactions and engagers a cell has, in each horizon and class.

Most cells have few: their counts lie in the narrow ``interactions`` and ``distinct``. Once one of
them would not fit, the cell has a row of ``crowds`` for all of them, and keeps it for its life.
"""

from typing import Final

import numpy as np

from streams.kernels.cells import NO_CROWD, Cells
from streams.kernels.compiling import bare, merged
from streams.kernels.rows import take_crowd
from streams.kernels.score_arrays import MOST_NARROW, Number, ScoreArrays

_MOST_INTERACTIONS: Final = 1 << 30


@merged
def interactions_in(cells: Cells, cell: Number, horizon: int) -> Number:
    """Interactions of a cell that count in a horizon, as int64."""
    crowd = cells.crowd[cell]
    if crowd == NO_CROWD:
        return np.int64(cells.interactions[cell, horizon])
    return cells.crowds[crowd, horizon, 0]


@merged
def engagers_in(cells: Cells, cell: Number, horizon: int, class_: int) -> Number:
    """Named engagers of a cell whose best class in a horizon is this one or higher, as int64."""
    crowd = cells.crowd[cell]
    if crowd == NO_CROWD:
        return np.int64(cells.distinct[cell, horizon, class_])
    return cells.crowds[crowd, horizon, 1 + class_]


@bare
def add_interactions(arrays: ScoreArrays, cell: Number, horizon: int, count: Number) -> None:
    """Let a cell have so many more interactions in a horizon."""
    cells = arrays.cells
    if cells.crowd[cell] == NO_CROWD:
        total = np.int64(cells.interactions[cell, horizon]) + count
        if -_MOST_INTERACTIONS < total < _MOST_INTERACTIONS:
            cells.interactions[cell, horizon] = total
            return
        _make_crowd(arrays, cell)
    cells.crowds[cells.crowd[cell], horizon, 0] += count


@bare
def add_engager(arrays: ScoreArrays, cell: Number, horizon: int, class_: int, change: int) -> None:
    """Let a cell have one engager more (1) or less (-1) in a horizon with this class or higher."""
    cells = arrays.cells
    if cells.crowd[cell] == NO_CROWD:
        if change < 0 or cells.distinct[cell, horizon, class_] < MOST_NARROW:
            cells.distinct[cell, horizon, class_] += change
            return
        _make_crowd(arrays, cell)
    cells.crowds[cells.crowd[cell], horizon, 1 + class_] += change


@bare
def _make_crowd(arrays: ScoreArrays, cell: Number) -> None:
    """Let a cell have a row of ``crowds``."""
    row, cells = take_crowd(arrays), arrays.cells
    for horizon in range(cells.distinct.shape[1]):
        cells.crowds[row, horizon, 0] = cells.interactions[cell, horizon]
        for class_ in range(cells.distinct.shape[2]):
            cells.crowds[row, horizon, 1 + class_] = cells.distinct[cell, horizon, class_]
    cells.crowd[cell] = row
