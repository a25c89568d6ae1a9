"""Texts that lie scattered in a buffer, one after the other in a buffer of their own."""

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import kernel
from streams.kernels.memory import address_of, copy_bytes

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]

_MOST_BYTES = (1 << 31) - 1


@kernel
def gather(data: Bytes, places: Longs, sizes: Longs) -> tuple[Bytes, npt.NDArray[np.int32]]:
    """The texts ``data[places[i]:places[i] + sizes[i]]`` as the buffer and places of a TextColumn.

    A size below 0 (no text) counts as 0. int32[n + 1] places: more than 2 GiB together raise
    ``OverflowError``, as they would be written out of bounds.
    """
    count = len(places)
    ends = np.empty(count + 1, np.int32)
    total = 0
    ends[0] = 0
    for text in range(count):
        total += max(sizes[text], 0)
        if total > _MOST_BYTES:
            raise OverflowError("the texts of one fetch are more than 2 GiB")
        ends[text + 1] = total
    gathered = np.empty(total, np.uint8)
    source, target = address_of(data), address_of(gathered)
    for text in range(count):
        copy_bytes(target + ends[text], source + places[text], ends[text + 1] - ends[text])
    return gathered, ends
