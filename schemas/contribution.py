"""``contributions``: what a connected account adds to its profile, keyed by the profile."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.interaction import Account, Millis, Text


class Contribution(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Absolute values, so that applying one twice changes nothing.

    ``engagement`` has one fixed-point number (1024 = 1.0) per horizon. Readers keep the highest
    (``epoch``, ``sequence``) of an account.
    """

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    profile: Text
    account: Account
    network: Text
    engagement: tuple[int, ...]
    last_hour: int
    clock: Millis
    epoch: int
    sequence: int
