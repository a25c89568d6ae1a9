"""How the score state lies in memory, for the kernels that read it: arrays with one row a cell.

A cell is an account on one network. ``horizons`` are those of the score model, shortest first;
a horizon of h hours holds the UTC hours ``now - h`` to ``now``.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

NO_CELL: Final = -1
"""In place of a cell: the end of a list."""
NO_POSTS: Final = -1
"""In place of a row of own posts: the cell has none."""
NO_CROWD: Final = -1
"""In place of a row of ``crowds``: the cell's counts are narrow."""
NO_HOUR: Final = -(1 << 30)
"""In place of the hour of the newest interaction: none. It is before any hour."""
NO_FIRST: Final = 1 << 30
"""In place of the hour of the earliest interaction: none. It is after any hour."""


class Cells(NamedTuple):
    """Rows of cells, posters and accounts; those that nobody has are nothing in particular."""

    weights: npt.NDArray[np.int64]
    """int64[cells, horizons]: sums of weights."""
    interactions: npt.NDArray[np.int32]
    """int32[cells, horizons]: numbers of interactions, of a cell without a crowd."""
    distinct: npt.NDArray[np.uint8]
    """uint8[cells, horizons, classes]: engagers whose best class in the horizon is c or higher.
    Of a sampled account only the named ones: scaled by ``<< level`` they stand for all. Of a cell
    without a crowd."""
    crowds: npt.NDArray[np.int64]
    """int64[crowds, horizons, 1 + classes]: interactions, then engagers by class, of cells where
    these are too many for the narrow columns (``streams/kernels/counts.py``)."""
    crowd: npt.NDArray[np.int32]
    """int32[cells]: the row of ``crowds``, or ``NO_CROWD``."""
    posts: npt.NDArray[np.int32]
    """int32[posters, horizons]: own posts, of the cells that ever had one since they were made."""
    poster: npt.NDArray[np.int32]
    """int32[cells]: the row of ``posts``, or ``NO_POSTS``."""
    last: npt.NDArray[np.int32]
    """int32[cells]: hour of the newest interaction that counts. One that has left the longest
    horizon may stay: it is as good as ``NO_HOUR``."""
    first: npt.NDArray[np.int32]
    """int32[cells]: hour of the earliest interaction that counts in the longest horizon, or
    ``NO_FIRST``. It may be too early once it is more than 30 days ago, where nobody asks."""
    head: npt.NDArray[np.int32]
    """int32[accounts]: the first cell of an account, or ``NO_CELL``."""
    following: npt.NDArray[np.int32]
    """int32[cells]: the next cell of the same account, or ``NO_CELL``."""
    level: npt.NDArray[np.uint8]
    """uint8[accounts]: engagers are named whose hash has at least so many leading zero bits."""
    names: npt.NDArray[np.uint8]
    """UTF-8 of all names, in no order."""
    name_at: npt.NDArray[np.int64]
    """int64[accounts]: where an account's name begins in ``names``."""
    name_size: npt.NDArray[np.uint16]
    """uint16[accounts]: its length in bytes."""
