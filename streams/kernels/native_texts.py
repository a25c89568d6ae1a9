"""Texts as ClickHouse's native format has them: each after its size, seven bits to a byte."""

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import kernel
from streams.kernels.memory import address_of, copy_bytes

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]

_MOST_SIZE_BYTES = 10


@kernel
def native_texts(data: Bytes, places: Longs, sizes: Longs) -> Bytes:
    """The texts ``data[places[i]:places[i] + sizes[i]]`` one after the other, each with its size.

    A size below 0 counts as 0.
    """
    total = 0
    for text in range(len(places)):
        total += max(sizes[text], 0) + _MOST_SIZE_BYTES
    written = np.empty(total, np.uint8)
    source, target = address_of(data), address_of(written)
    end = 0
    for text in range(len(places)):
        size = rest = max(sizes[text], 0)
        while rest > 127:
            written[end] = rest & 127 | 128
            rest >>= 7
            end += 1
        written[end] = rest
        end += 1
        copy_bytes(target + end, source + places[text], size)
        end += size
    return written[:end]
