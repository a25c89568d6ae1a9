"""The one hash of the project: 64-bit xxHash, which ClickHouse computes as ``xxHash64(text)``."""

import xxhash


def hash64(text: str) -> int:
    """Unsigned 64-bit hash of a text's UTF-8 bytes; never 0, so that 0 can mean "none"."""
    return xxhash.xxh64_intdigest(text.encode()) or 1
