"""``identities``: which accounts belong to one profile, keyed by the account, compacted."""

from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.interaction import Account, Millis, Text


class IdentityAction(str, Enum):
    """What the holder of an account asks for."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    OPT_OUT = "opt-out"
    ERASE = "erase"


class Identity(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The last wish for ``account``; ``profile`` is needed to connect."""

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    account: Account
    action: IdentityAction
    at: Millis
    profile: Text | None = None
