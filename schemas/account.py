"""``accounts``: facts of a profile as the network shows them, keyed by the account, compacted."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.interaction import Account, Millis


class AccountFacts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The newest known facts of one account; a missing field is unknown, not empty."""

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    account: Account
    at: Millis
    handle: str | None = None
    name: str | None = None
    avatar: str | None = None
    followers: Annotated[int, Meta(ge=0)] | None = None
    verified: bool | None = None
