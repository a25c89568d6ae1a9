"""UTC days of a source: where in a fetch another one begins."""

from typing import Any, Final

import numpy as np

from streams.kernels.weigh import HEARTBEAT, INTERACTION, Fetch

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
HOURS: Final = 24
"""Of a day."""


def day_of(at: int) -> int:
    """The UTC day since 1970 of a time in ms; -1 for the time 0, which stands for none."""
    return at // DAY_MS if at > 0 else -1


def midnight(day: int) -> int:
    """When a day begins, in ms."""
    return day * DAY_MS


def first_beyond(fetch: Fetch, clock: int, applied: int, day: int) -> tuple[int, int]:
    """The place of the first interaction of a later day than ``day``, and its day.

    The day of an interaction is that of the highest event time so far, heartbeats and its own
    included; ``clock``: before the fetch. Records up to the offset ``applied`` do not count.
    Without such an interaction the place is the length of the fetch.
    """
    counts = (fetch.what == INTERACTION) | (fetch.what == HEARTBEAT)
    counts &= fetch.offsets > applied
    reached = np.maximum.accumulate(np.where(counts, fetch.at, 0))
    np.maximum(reached, clock, out=reached)
    beyond = counts & (fetch.what == INTERACTION) & (reached >= midnight(day + 1))
    place = int(beyond.argmax()) if beyond.any() else len(beyond)
    return place, day_of(int(reached[place])) if place < len(beyond) else day


def up_to(fetch: Fetch, place: int) -> Fetch:
    """The records of a fetch before ``place``."""
    columns: Any = fetch[1:]
    return Fetch(fetch.data, *(column[:place] for column in columns))
