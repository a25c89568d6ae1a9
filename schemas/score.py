"""``scores``: the newest score of a profile, keyed by the profile, compacted."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.interaction import Millis, Text


class ScoreUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A score and the integers it follows from.

    ``score``: thousandths of a point, 1,000 to 100,000. ``bits``: log2 of the influence, Q16.
    ``influence``: the number inside the logarithm (1024 = one retweet of an ordinary account).
    ``weights``, ``interactions`` and ``engagers`` hold one number per horizon (6 h, 24 h, 7 d,
    30 d, 90 d), summed over the networks. ``level``: engagers were kept whose hash has that many
    leading zero bits; 0 is exact. ``clock``: event time in ms UTC at which the score holds.
    ``partition`` and ``position``: the frame of ``weighed`` up to which rows are included.
    Readers keep the highest (``epoch``, ``sequence``) of a profile.
    """

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    profile: Text
    score: Annotated[int, Meta(ge=1000, le=100_000)]
    bits: Annotated[int, Meta(ge=0)]
    momentum: Annotated[int, Meta(ge=0, le=100)]
    influence: Annotated[int, Meta(ge=0)]
    weights: tuple[int, ...]
    interactions: tuple[int, ...]
    engagers: tuple[int, ...]
    level: Annotated[int, Meta(ge=0, le=64)] = 0
    change: Annotated[int, Meta(description="thousandths since the update before")] = 0
    cause: Annotated[str, Meta(pattern="^(interaction|time|end)$")] = "interaction"
    model: Annotated[int, Meta(ge=1)]
    clock: Millis
    partition: int
    position: int
    epoch: int
    sequence: int
