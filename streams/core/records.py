"""A record of a topic as the core sees it, whichever client fetched it."""

from typing import NamedTuple


class Record(NamedTuple):
    """One record of a topic-partition. ``timestamp``: time of publishing, ms UTC."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
