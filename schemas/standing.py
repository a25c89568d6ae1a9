"""``standing``: the tier of an account's score at the last UTC midnight, keyed by the account."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.interaction import Account


class Standing(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """``day`` counts UTC days since 1970. Sent only when the tier changed."""

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    account: Account
    day: Annotated[int, Meta(ge=0)]
    tier: Annotated[int, Meta(ge=0, le=3)]


class DayClosed(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The marker of one partition: every ``Standing`` of ``day`` has been sent before it."""

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    closed: Annotated[int, Meta(ge=0, description="UTC day since 1970")]
