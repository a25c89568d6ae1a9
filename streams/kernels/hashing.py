"""The project's two hashes of bytes in a buffer: XXH64 with seed 0, and Kafka's Murmur2.

``data`` is an array of bytes or its address, see ``streams.kernels.memory``.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import inlined, kernel
from streams.kernels.memory import byte_at, half_at, word_at

Bytes = npt.NDArray[np.uint8]

_PRIME_1: Final = np.uint64(0x9E3779B185EBCA87)
_PRIME_2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_PRIME_3: Final = np.uint64(0x165667B19E3779F9)
_PRIME_4: Final = np.uint64(0x85EBCA77C2B2AE63)
_PRIME_5: Final = np.uint64(0x27D4EB2F165667C5)
_START_1: Final = np.uint64(0x60EA27EEADC0B5D6)
"""_PRIME_1 + _PRIME_2 with seed 0."""
_START_4: Final = np.uint64(0x61C8864E7A143579)
"""0 - _PRIME_1 with seed 0."""
_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_WORD_BITS: Final = np.uint64(64)

_MURMUR_SEED: Final = np.uint64(0x9747B28C)
_MURMUR_M: Final = np.uint64(0x5BD1E995)
_LOW_32: Final = np.uint64(0xFFFFFFFF)
_LOW_31: Final = np.uint64(0x7FFFFFFF)


@inlined
def _rotated(number: np.uint64, bits: int) -> np.uint64:
    return (number << np.uint64(bits)) | (number >> (_WORD_BITS - np.uint64(bits)))


@inlined
def _round(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _rotated(lane + word * _PRIME_2, 31) * _PRIME_1


@inlined
def _merged(sum_: np.uint64, lane: np.uint64) -> np.uint64:
    return (sum_ ^ _round(_ZERO, lane)) * _PRIME_1 + _PRIME_4


@kernel
def _stripes(data: Bytes | int, start: int, stop: int) -> np.uint64:
    """The sum of all whole stripes of 32 bytes; at least one."""
    one, two, three, four = _START_1, _PRIME_2, _ZERO, _START_4
    while start + 32 <= stop:
        one = _round(one, word_at(data, start))
        two = _round(two, word_at(data, start + 8))
        three = _round(three, word_at(data, start + 16))
        four = _round(four, word_at(data, start + 24))
        start += 32
    sum_ = _rotated(one, 1) + _rotated(two, 7) + _rotated(three, 12) + _rotated(four, 18)
    return _merged(_merged(_merged(_merged(sum_, one), two), three), four)


@kernel
def hash64_at(data: Bytes | int, start: int, size: int) -> np.uint64:
    """``schemas.hashing.hash64`` of the UTF-8 in ``data[start:start + size]``: never 0."""
    stop = start + size
    sum_ = _PRIME_5
    if size >= 32:
        sum_ = _stripes(data, start, stop)
        start = stop - (size & 31)
    sum_ += np.uint64(size)
    while start + 8 <= stop:
        sum_ = _rotated(sum_ ^ _round(_ZERO, word_at(data, start)), 27) * _PRIME_1 + _PRIME_4
        start += 8
    if start + 4 <= stop:
        sum_ = _rotated(sum_ ^ half_at(data, start) * _PRIME_1, 23) * _PRIME_2 + _PRIME_3
        start += 4
    while start < stop:
        sum_ = _rotated(sum_ ^ byte_at(data, start) * _PRIME_5, 11) * _PRIME_1
        start += 1
    sum_ = (sum_ ^ (sum_ >> np.uint64(33))) * _PRIME_2
    sum_ = (sum_ ^ (sum_ >> np.uint64(29))) * _PRIME_3
    return max(sum_ ^ (sum_ >> np.uint64(32)), _ONE)


@kernel
def partition_at(data: Bytes | int, start: int, size: int, partitions: np.uint64) -> np.int64:
    """``schemas.partitioner.partition_of`` the text in ``data[start:start + size]``."""
    stop = start + size
    sum_ = _MURMUR_SEED ^ np.uint64(size)
    while start + 4 <= stop:
        word = half_at(data, start) * _MURMUR_M & _LOW_32
        word = (word ^ (word >> np.uint64(24))) * _MURMUR_M & _LOW_32
        sum_ = (sum_ * _MURMUR_M & _LOW_32) ^ word
        start += 4
    if start < stop:
        rest = _ZERO
        for place in range(stop - 1, start - 1, -1):
            rest = (rest << np.uint64(8)) | byte_at(data, place)
        sum_ = (sum_ ^ rest) * _MURMUR_M & _LOW_32
    sum_ = (sum_ ^ (sum_ >> np.uint64(13))) * _MURMUR_M & _LOW_32
    sum_ ^= sum_ >> np.uint64(15)
    return np.int64((sum_ & _LOW_31) % partitions)
