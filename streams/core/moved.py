"""Which accounts the passing of time changed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streams.core.arrays import Ints
from streams.kernels.hours import ENTERED, LEFT, POSTED


@dataclass(frozen=True, slots=True)
class Moved:
    """Accounts that the passing of time changed: interactions ``entered``, panes ``left``.

    ``posted``: own posts entered.
    """

    entered: Ints
    left: Ints
    posted: Ints


def moved(marks: npt.NDArray[np.uint8]) -> Moved:
    """The accounts by what the kernels marked each of them with."""
    return Moved(*(np.flatnonzero(marks & mark) for mark in (ENTERED, LEFT, POSTED)))
