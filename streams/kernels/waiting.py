"""The list of accounts that wait to be published, without repeats."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import bare

TOUCHED: Final = 1
DUE: Final = 2
DRIFTED: Final = 4
AGAIN: Final = 8
"""To be published once more, whether anything differs or not."""
WAITING: Final = 16
"""In the list."""
CHANGED: Final = 32
"""Otherwise than the newest snapshot says."""
REPEAT: Final = 64
"""Published while an owner before may still publish: to be published again after that."""

Flags = npt.NDArray[np.uint8]


@bare
def mark(
    flags: Flags, accounts: npt.NDArray[np.int64], bit: Any, waiting: npt.NDArray[np.int32], n: Any
) -> Any:
    """Set ``bit`` on accounts (repeats allowed) and list them; returns how many are listed then.

    ``flags``: of all accounts, ``n`` of which stand in ``waiting``, which has room for all.
    """
    for account in accounts:
        flag = flags[account]
        if not flag & WAITING:
            waiting[n] = account
            n += 1
        flags[account] = flag | bit | WAITING | CHANGED
    return n


@bare
def take_rested(
    flags: Flags,
    published: npt.NDArray[np.float64],
    before: Any,
    waiting: npt.NDArray[np.int32],
    n: Any,
    rested: npt.NDArray[np.int64],
) -> tuple[Any, Any]:
    """Take accounts off the list that were published ``before`` a time, or never, or must be.

    As many as ``rested`` has room for. Returns how many are still listed, and how many rested.
    """
    kept, taken = 0, 0
    for place in range(n):
        account = waiting[place]
        if taken < len(rested) and (published[account] <= before or flags[account] & AGAIN):
            rested[taken] = account
            taken += 1
            flags[account] &= ~np.uint8(WAITING)
        else:
            waiting[kept] = account
            kept += 1
    return kept, taken
