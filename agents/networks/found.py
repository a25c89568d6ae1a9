"""What one payload of a live network says, and how the rules that hold for all networks apply.

An adapter reads a payload into ``Found``. What its record does to other accounts is a ``Draft``,
because a payload often names not an account but something that belongs to one (a handle, a post):
``settle`` turns it into interactions as soon as an owner cache knows whom it concerns.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from agents.source import SELF
from schemas.account import AccountFacts
from schemas.interaction import Interaction
from schemas.kinds import Kind
from schemas.post import Post

FOLDED = "folded"
"""Not published, because the same record does the same account something that says more."""


class Part(msgspec.Struct, frozen=True):
    """One thing that a record does to one account: to ``target``, or to the owner of ``key``.

    ``suffix``: its id is the record's with kind and target behind it, so that a record may give
    several; at most one part goes without. ``silent``: it is not published, but what says less of
    the same target is folded into it all the same.
    """

    kind: Kind
    object: str | None = None
    target: str = ""
    key: str = ""
    suffix: bool = True
    silent: bool = False


class Draft(msgspec.Struct, frozen=True):
    """What a record does to others, the most telling part first. Times in ms."""

    network: str
    actor: str
    record: str
    at: int
    received_at: int
    parts: tuple[Part, ...]


class Trouble(NamedTuple):
    """Why a payload says nothing that can be used. ``reason`` is one of a few."""

    reason: str
    detail: str


class Found(msgspec.Struct, kw_only=True):
    """Everything in one payload.

    ``position``: where the source goes on after it, in the source's own numbers, 0 if the payload
    does not say; ``at``: its event time in ms, 0 with a ``position`` of 0. ``learned``: key →
    account, for the owner cache. ``dropped``: reasons why sound parts must not count. ``trouble``:
    it is for the dead letters.
    """

    position: int = 0
    at: int = 0
    draft: Draft | None = None
    undos: tuple[Interaction, ...] = ()
    post: Post | None = None
    facts: AccountFacts | None = None
    learned: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()
    trouble: Trouble | None = None


class Settled(NamedTuple):
    """What a draft gives. ``missing``: interactions without a target, and the keys they wait for.

    ``dropped``: reasons of the parts that must not count.
    """

    interactions: list[Interaction]
    missing: list[tuple[Interaction, str]]
    dropped: list[str]


def settle(draft: Draft, owner_of: Callable[[str], str | None]) -> Settled:
    """Apply the rules: one interaction a target, none with oneself; ``owner_of``: key → account."""
    settled = Settled([], [], [])
    seen: set[str] = set()
    for part in draft.parts:
        target = part.target or owner_of(part.key)
        if target is None:
            if not part.silent:
                settled.missing.append((_interaction(draft, part, None), part.key))
        elif target in seen:
            settled.dropped.append(FOLDED)
        else:
            seen.add(target)
            if target == draft.actor:
                settled.dropped.append(SELF)
            elif not part.silent:
                settled.interactions.append(_interaction(draft, part, target))
    return settled


def keys_of(draft: Draft) -> set[str]:
    """The keys whose owners have to be known before ``draft`` can be settled."""
    return {part.key for part in draft.parts if part.key}


def _interaction(draft: Draft, part: Part, target: str | None) -> Interaction:
    id = draft.record
    if part.suffix:
        concerned = target.partition(":")[2] if target else part.key
        id = f"{id}#{part.kind.value}:{concerned}"
    return Interaction(
        id=id,
        kind=part.kind,
        network=draft.network,
        actor=draft.actor,
        target=target,
        object=part.object,
        record=draft.record,
        at=draft.at,
        received_at=draft.received_at,
    )
