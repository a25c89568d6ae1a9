"""Ids of interactions whose payload brings none of its own."""

from typing import Final

from schemas.hashing import hash64

_SEPARATOR: Final = "\x1f"


def derived_id(
    network: str,
    kind: str,
    actor: str,
    target: str | None,
    object: str | None = None,
    at: int | None = None,
) -> str:
    """The same id for the same facts, whatever format or delivery they came by.

    ``at`` is the event time in ms; None where it is only an estimate, since two deliveries of one
    like would then differ in nothing else.
    """
    parts = (network, kind, actor, target or "", object or "", "" if at is None else str(at))
    return f"h{hash64(_SEPARATOR.join(parts)):016x}"
