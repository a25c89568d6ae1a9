"""``posts``: something an account published, keyed by its author."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.interaction import Account, Millis, Network, Text


class Post(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One own post of ``author``; ``undo`` says that it was deleted.

    ``at``: when it was published, on an undo when it was deleted, in ms since 1970, UTC.
    """

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    id: Text
    at: Millis
    network: Network
    author: Account
    media: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    undo: bool = False
