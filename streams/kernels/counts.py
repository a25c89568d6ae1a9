"""How many interactions and engagers a cell has, in each horizon and class.

Most cells have few: their counts lie in the narrow ``interactions`` and ``distinct``. Once one of
them would not fit, the cell has a row of ``crowds`` for all of them, and keeps it for its life.
"""

from typing import Final

import numpy as np

from streams.kernels.cells import NO_CROWD, Cells
from streams.kernels.compiling import bare, merged
from streams.kernels.rows import take_crowd
from streams.kernels.score_arrays import Number, ScoreArrays

_TOO_MANY: Final = 1 << 30


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
def fits(total: Number) -> bool:
    """Whether a number of interactions is narrow enough for a cell without a crowd."""
    return bool(-_TOO_MANY < total < _TOO_MANY)


@bare
def add_interactions(arrays: ScoreArrays, cell: Number, horizon: int, count: Number) -> None:
    """Let a cell have so many more interactions in a horizon."""
    cells, crowd = arrays.cells, arrays.cells.crowd[cell]
    if crowd == NO_CROWD:
        total = np.int64(cells.interactions[cell, horizon]) + count
        if fits(total):
            cells.interactions[cell, horizon] = total
            return
        crowd = make_crowd(arrays, cell)
    cells.crowds[crowd, horizon, 0] += count


@bare
def make_crowd(arrays: ScoreArrays, cell: Number) -> Number:
    """Let a cell have a row of ``crowds``, and return it."""
    row, cells = take_crowd(arrays), arrays.cells
    for horizon in range(cells.distinct.shape[1]):
        cells.crowds[row, horizon, 0] = cells.interactions[cell, horizon]
        for class_ in range(cells.distinct.shape[2]):
            cells.crowds[row, horizon, 1 + class_] = cells.distinct[cell, horizon, class_]
    cells.crowd[cell] = row
    return row
