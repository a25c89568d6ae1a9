"""``standing``: the tier of an account's score at the last UTC midnight, keyed by the account."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.interaction import Account


class Standing(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """``day`` counts UTC days since 1970. Sent only when the tier changed.

    Readers pass over what has a lower ``epoch`` than something before it.
    """

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    account: Account
    day: Annotated[int, Meta(ge=0)]
    tier: Annotated[int, Meta(ge=0, le=3)]
    epoch: Annotated[int, Meta(ge=0)]
    sequence: Annotated[int, Meta(ge=0)]


class DayClosed(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The marker of one partition: every ``Standing`` of ``day`` has been sent before it.

    ``first``: the first day of the instance, as far as this partition was told. ``whole``: accounts
    of which nothing was sent since the marker before have tier 0; so a new owner begins.
    """

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    closed: Annotated[int, Meta(ge=0, description="UTC day since 1970")]
    first: Annotated[int, Meta(ge=0, description="UTC day since 1970")]
    whole: bool = False
    epoch: Annotated[int, Meta(ge=0)]
    sequence: Annotated[int, Meta(ge=0)]


MARKER_KEY = b"closed"
"""Key of the markers; no account's, which has a colon."""
