"""Interactions and records for tests: made-up accounts, and times that are easy to read."""

from typing import Any

import msgspec

from schemas.interaction import Heartbeat, Interaction
from schemas.kinds import Kind
from schemas.partitioner import partition_of
from schemas.post import Post
from streams.core.records import Record

NOON = 1_700_049_600_000
"""2023-11-15 12:00 UTC in milliseconds."""

MINUTE = 60_000
HOUR = 60 * MINUTE


def interaction(**fields: Any) -> Interaction:
    """A retweet of robin by ada at NOON, or what ``fields`` make of it."""
    at = fields.get("at", NOON)
    given: dict[str, Any] = {
        "id": "1",
        "kind": Kind.RETWEET,
        "network": "twitter",
        "actor": "twitter:ada",
        "target": "twitter:robin",
        "at": at,
        "received_at": at + 500,
    }
    return Interaction(**(given | fields))


def record(offset: int, message: Interaction | Heartbeat | Post | bytes | None) -> Record:
    """The record of a message, published a second after its event time (or at NOON)."""
    key = None
    timestamp = NOON
    if isinstance(message, Interaction):
        key, timestamp = message.actor.encode(), message.received_at + 500
    elif isinstance(message, Post):
        key, timestamp = message.author.encode(), message.at + 500
    elif isinstance(message, Heartbeat):
        timestamp = message.clock + 1000
    value = message if message is None or isinstance(message, bytes) else encode(message)
    return Record(offset, timestamp, key, value)


def encode(message: Interaction | Heartbeat | Post) -> bytes:
    """The message as it travels."""
    return msgspec.json.encode(message)


def account_in(partition: int, partitions: int, name: str = "account") -> str:
    """A made-up account whose records lie in ``partition``."""
    candidates = (f"twitter:{name}-{number}" for number in range(100_000))
    return next(a for a in candidates if partition_of(a, partitions) == partition)
