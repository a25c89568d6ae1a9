"""A batch of rows as the kernels of the windows take it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from streams.kernels.score_arrays import Columns
from streams.kernels.windows import Scratch


def scratch_for(rows: int) -> Scratch:
    """Room for what is found out about so many rows."""
    hashes, numbers = np.empty(rows, np.uint64), np.empty((5, rows), np.int32)
    return Scratch(hashes, *numbers)


def read_only(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same column: all must be alike to the compiler, which else makes code for each sort."""
    if not column.flags.writeable:
        return column
    view = column.view()
    view.flags.writeable = False
    return view


def alike(columns: Columns) -> Columns:
    """The same columns, each ``read_only``."""
    return Columns(*(read_only(column) for column in columns))
