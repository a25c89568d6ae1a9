"""``interactions.<kind>``: one interaction of an actor with a target, or an agent's heartbeat."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from schemas.kinds import Kind
from schemas.networks import NETWORKS

EARLIEST_AT: Final = 1_072_915_200_000
"""2004-01-01 UTC in milliseconds; no supported network is older."""

LARGEST_AHEAD_MS: Final = 300_000
"""How far an event time may lie after its time of receipt (5 minutes, in milliseconds)."""

LATEST_AT: Final = 253_402_300_799_999
"""The last millisecond of the year 9999."""

SHORTEST_ACCOUNT, LONGEST_ACCOUNT = 3, 512
LONGEST_TEXT: Final = 1024
LONGEST_AGENT: Final = 128
"""Characters of texts."""

LARGEST_AMOUNT: Final = 1_000_000

Account = Annotated[
    str,
    Meta(
        min_length=SHORTEST_ACCOUNT,
        max_length=LONGEST_ACCOUNT,
        pattern=r"^(?:" + "|".join(NETWORKS) + r"):[^\x00-\x1f]",
        description="network:native-id, for example twitter:14138",
        examples=["twitter:14138"],
    ),
]
Network = Annotated[str, Meta(pattern="^(?:" + "|".join(NETWORKS) + ")$")]
Text = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
Millis = Annotated[int, Meta(ge=0, le=LATEST_AT, description="milliseconds since 1970, UTC")]


class Interaction(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One interaction, keyed by its actor. Times are milliseconds since 1970, UTC.

    ``id`` is stable across deliveries and formats. ``target`` may be missing only on an undo with
    a ``record``. ``undo`` retracts ``id``, or, with ``record`` and no target, every live
    interaction of that actor and record in the same topic. ``amount`` multiplies the weight, never
    the count of engagers.
    """

    v: Annotated[int, Meta(ge=1, le=1, description="version of this message")] = 1
    id: Text
    kind: Kind
    network: Network
    actor: Account
    target: Account | None = None
    object: Text | None = None
    record: Text | None = None
    at: Millis
    received_at: Millis
    estimated: bool = False
    undo: bool = False
    amount: Annotated[int, Meta(ge=1, le=LARGEST_AMOUNT)] = 1


class Heartbeat(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The event time that an agent has reached, sent to every partition of the five topics."""

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    clock: Millis
    agent: Annotated[str, Meta(max_length=LONGEST_AGENT)] = ""
