"""What people do on each network, how much of it, where they live and when they are awake."""

import math
from dataclasses import dataclass
from typing import Final

from schemas.kinds import Kind

ZONES: Final = (-480, -300, -180, 0, 60, 180, 330, 480, 540)
"""Time zones of homes in minutes east of UTC, without summer time."""

_WORLD: Final = (10, 22, 9, 9, 19, 8, 9, 8, 6)
_AMERICAS: Final = (19, 34, 9, 10, 14, 3, 4, 4, 3)
_EUROPE: Final = (6, 12, 3, 17, 40, 9, 3, 4, 6)
_ASIA: Final = (6, 12, 12, 5, 13, 8, 23, 12, 9)

_QUIETEST: Final = 0.10
_DAY_MINUTES: Final = 1440


@dataclass(frozen=True, slots=True)
class Habits:
    """One network. ``share``: of all that happens; ``homes``: of the accounts by zone.

    ``peak``: local hour when most happens. ``kinds``: relative numbers. ``records``: it tells of a
    deletion only which record is gone.
    """

    network: str
    share: int
    homes: tuple[int, ...]
    peak: float
    kinds: dict[Kind, int]
    records: bool = False


_LIKE, _RETWEET, _MENTION, _COMMENT = Kind.LIKE, Kind.RETWEET, Kind.MENTION, Kind.COMMENT

HABITS: Final = (
    Habits(
        *("twitter", 22, _WORLD, 20.0),
        {_LIKE: 52, _RETWEET: 25, _MENTION: 12, _COMMENT: 11},
    ),
    Habits(
        *("bluesky", 20, _AMERICAS, 20.5),
        {_LIKE: 64, _RETWEET: 15, _MENTION: 6, _COMMENT: 15},
        records=True,
    ),
    Habits(*("instagram", 16, _WORLD, 21.0), {_LIKE: 82, _MENTION: 7, _COMMENT: 11}),
    Habits(*("youtube", 14, _ASIA, 21.5), {_LIKE: 78, _COMMENT: 22}),
    Habits(*("reddit", 10, _AMERICAS, 22.0), {_LIKE: 55, _MENTION: 4, _COMMENT: 41}),
    Habits(
        *("mastodon", 8, _EUROPE, 19.0),
        {_LIKE: 46, _RETWEET: 28, _MENTION: 14, _COMMENT: 12},
        records=True,
    ),
    Habits(
        *("linkedin", 7, _WORLD, 10.5),
        {_LIKE: 58, _RETWEET: 5, _MENTION: 6, _COMMENT: 21, Kind.RECOMMENDATION: 10},
    ),
    Habits(*("github", 3, _ASIA, 15.0), {_LIKE: 55, _MENTION: 15, _COMMENT: 30}),
)
"""The networks of the world, in the order of their numbers in it."""

BURST_KINDS: Final = {_LIKE: 58, _RETWEET: 32, _COMMENT: 10}
CAMPAIGN_KINDS: Final = {_MENTION: 50, _RETWEET: 42, _LIKE: 8}
RING_KINDS: Final = {_LIKE: 40, _RETWEET: 25, _COMMENT: 25, _MENTION: 10}
"""What is done in a happening, as far as the network has it."""

TOPICS: Final = (
    *("music", "gardening", "sailing", "chess", "baking", "astronomy", "cycling", "trains"),
    *("photography", "knitting", "football", "robotics", "poetry", "climbing", "history", "films"),
)


def awake(zone: int, peak: float, minute: int) -> float:
    """How active people of a zone (minutes east of UTC) are at a minute since 1970; 0.1 to 1."""
    local = (minute + zone) % _DAY_MINUTES / 60
    wave = (1 + math.cos((local - peak) / 24 * 2 * math.pi)) / 2
    return _QUIETEST + (1 - _QUIETEST) * wave * math.sqrt(wave)


def kinds_in(habits: Habits, wanted: dict[Kind, int]) -> dict[Kind, int]:
    """``wanted`` without the kinds that a network does not have."""
    return {kind: weight for kind, weight in wanted.items() if kind in habits.kinds}
