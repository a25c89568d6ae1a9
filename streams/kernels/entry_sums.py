"""Weight and count of an entry in four bytes.

Nearly all are small. What does not fit, negative numbers too, lies in a row of ``large``, which the
entry keeps until it is given back. So there are never more of them than entries.
"""

import numpy as np

from streams.kernels.compiling import bare
from streams.kernels.rows import take_large
from streams.kernels.score_arrays import LARGE_SUM, Number, ScoreArrays

_COUNT_BITS = 7
_COUNTS = 1 << _COUNT_BITS
_WEIGHTS = LARGE_SUM >> _COUNT_BITS


@bare
def weight_of(arrays: ScoreArrays, entry: int) -> Number:
    """The weight of an entry."""
    held = np.int64(arrays.entry_rows[entry].sum)
    if held & LARGE_SUM:
        return arrays.large[held ^ LARGE_SUM, 0]
    return held >> _COUNT_BITS


@bare
def count_of(arrays: ScoreArrays, entry: int) -> Number:
    """The number of interactions of an entry."""
    held = np.int64(arrays.entry_rows[entry].sum)
    if held & LARGE_SUM:
        return arrays.large[held ^ LARGE_SUM, 1]
    return held & (_COUNTS - 1)


@bare
def add_to(arrays: ScoreArrays, entry: int, weight: Number, count: Number) -> None:
    """Add to the weight and the count of an entry."""
    row = arrays.entry_rows[entry]
    held = np.int64(row.sum)
    if held & LARGE_SUM:
        arrays.large[held ^ LARGE_SUM, 0] += weight
        arrays.large[held ^ LARGE_SUM, 1] += count
        return
    weight += held >> _COUNT_BITS
    count += held & (_COUNTS - 1)
    if 0 <= weight < _WEIGHTS and 0 <= count < _COUNTS:
        row.sum = (weight << _COUNT_BITS) | count
    else:
        large = take_large(arrays)
        arrays.large[large, 0] = weight
        arrays.large[large, 1] = count
        row.sum = large | LARGE_SUM
