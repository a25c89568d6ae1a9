"""Random numbers that stay the same over versions of NumPy and Python."""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_STEP: Final = 2.0**-53


class Draws:
    """A stream of numbers; ``purpose`` tells apart the streams of one seed."""

    def __init__(self, seed: int, *purpose: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, *purpose]))

    def uniform(self, count: int) -> Floats:
        """``count`` numbers, 0 or more and less than 1."""
        raw = self._bits.random_raw(count) >> np.uint64(11)
        return raw.astype(np.float64) * _STEP

    def table(self, columns: int, rows: int) -> Floats:
        """The same as an array [columns, rows]."""
        return self.uniform(columns * rows).reshape(columns, rows)

    def one(self) -> float:
        """A single one."""
        return float((int(self._bits.random_raw()) >> 11) * _STEP)

    def between(self, least: float, most: float) -> float:
        """A number from ``least`` to ``most``."""
        return least + (most - least) * self.one()

    def below(self, end: int) -> int:
        """A whole number, 0 or more and less than ``end``."""
        return int(self.one() * end)


def cumulated(weights: Floats) -> Floats:
    """[0, w0, w0 + w1, …]: where each of n things begins and ends on a line; float64[n + 1]."""
    line = np.zeros(len(weights) + 1)
    np.cumsum(weights, out=line[1:])
    return line


def chosen(line: Floats, points: Floats) -> Ints:
    """For points on a line of ``cumulated``, the numbers of the things they lie in.

    A thing without weight is never chosen.
    """
    found = np.searchsorted(line, points, side="right") - 1
    return np.minimum(found, len(line) - 2)
