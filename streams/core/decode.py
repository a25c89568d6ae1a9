"""From the bytes of a record to an interaction, a heartbeat, or the reason why it is neither.

Bad data is a value: nothing that can lie in a record makes ``Decoder.decode`` raise.
"""

import re
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

import msgspec

from schemas.interaction import EARLIEST_AT, LARGEST_AHEAD_MS, Heartbeat, Interaction
from schemas.kinds import KIND_INDEX, KINDS
from schemas.partitioner import partition_of
from schemas.topics import INTERACTION_TOPICS, Topic

LARGEST_VALUE: Final = 1024 * 1024
"""Bytes of the largest value that is looked into."""

LONGEST_DETAIL: Final = 200
"""Characters of a detail; it goes into a dead letter and a table."""

_UNWANTED: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates: they break terminals, joined texts and UTF-8."""


class Reason(str, Enum):
    """Why a record cannot be used. The texts are stable: they label metrics and dead letters."""

    EMPTY = "empty"
    TOO_LARGE = "too large"
    BAD_JSON = "bad json"
    BAD_TEXT = "bad text"
    WRONG_TYPE = "wrong type"
    UNKNOWN_KIND = "unknown kind"
    WRONG_TOPIC = "wrong topic"
    NO_TARGET = "no target"
    ABSURD_TIME = "absurd time"
    WRONG_PARTITION = "wrong partition"
    FULL_RECORD = "full record"


class Bad(NamedTuple):
    """A record that cannot be used; ``detail`` is for people, at most LONGEST_DETAIL characters."""

    reason: Reason
    detail: str


class _Outline(msgspec.Struct):
    """As much of a refused message as it takes to say what is wrong with it."""

    kind: Any = None
    clock: Any = None


class Decoder:
    """Decodes the records of one interaction topic-partition."""

    def __init__(self, topic: Topic, partition: int, partitions: int) -> None:
        """Raises ``ValueError`` if ``topic`` carries no interactions."""
        if topic not in INTERACTION_TOPICS:
            raise ValueError(f"{topic.value} carries no interactions")
        self._kind = KINDS[INTERACTION_TOPICS.index(topic)]
        self._partition = partition
        self._partitions = partitions
        self._interaction = msgspec.json.Decoder(Interaction)
        self._heartbeat = msgspec.json.Decoder(Heartbeat)
        self._outline = msgspec.json.Decoder(_Outline)

    def decode(self, value: bytes | None, timestamp: int) -> Interaction | Heartbeat | Bad:
        """What ``value``, published at ``timestamp`` (ms UTC), says. Never raises."""
        if not value or len(value) > LARGEST_VALUE:
            return of_wrong_size(value)
        try:
            message = self._interaction.decode(value)
        except msgspec.ValidationError as error:
            return self._other(value, timestamp, error)
        except (ValueError, RecursionError) as error:
            return malformed(error)
        return self._judge(message, value, timestamp)

    def _judge(self, message: Interaction, value: bytes, timestamp: int) -> Interaction | Bad:
        """What a schema cannot say: do text, kind, times and partition fit?"""
        if bad := bad_text(message, value, ("id", "actor", "target", "object", "record")):
            return bad
        if message.kind is not self._kind:
            return Bad(
                Reason.WRONG_TOPIC, f"a {message.kind.value} among {self._kind.value} interactions"
            )
        if message.target is None and not message.undo:
            return Bad(Reason.NO_TARGET, "only an undo may be without a target")
        at = message.at
        if not EARLIEST_AT <= at <= min(message.received_at, timestamp) + LARGEST_AHEAD_MS:
            return Bad(
                Reason.ABSURD_TIME,
                f"at {at}, received at {message.received_at}, published at {timestamp}",
            )
        return misplaced(message.actor, self._partition, self._partitions) or message

    def _other(
        self, value: bytes, timestamp: int, error: msgspec.ValidationError
    ) -> Heartbeat | Bad:
        """What a JSON text is that breaks the schema of interactions: ``error`` says how."""
        try:
            outline = self._outline.decode(value)
        except msgspec.ValidationError:
            return Bad(Reason.WRONG_TYPE, readable(error))
        except (ValueError, RecursionError) as damage:
            return malformed(damage)
        if outline.kind is None and outline.clock is not None:
            return self._beat(value, timestamp)
        if isinstance(outline.kind, str) and outline.kind not in KIND_INDEX:
            return Bad(Reason.UNKNOWN_KIND, _cut(repr(outline.kind)))
        return Bad(Reason.WRONG_TYPE, readable(error))

    def _beat(self, value: bytes, timestamp: int) -> Heartbeat | Bad:
        try:
            beat = self._heartbeat.decode(value)
        except msgspec.ValidationError as error:
            return Bad(Reason.WRONG_TYPE, readable(error))
        except ValueError as error:
            return malformed(error)
        if not EARLIEST_AT <= beat.clock <= timestamp + LARGEST_AHEAD_MS:
            return Bad(Reason.ABSURD_TIME, f"clock {beat.clock}, published at {timestamp}")
        return beat


def of_wrong_size(value: bytes | None) -> Bad:
    """A value that is missing or so large that nobody looks into it."""
    if not value:
        return Bad(Reason.EMPTY, "no value")
    return Bad(Reason.TOO_LARGE, f"{len(value)} bytes, at most {LARGEST_VALUE}")


def bad_text(message: msgspec.Struct, value: bytes, names: Sequence[str]) -> Bad | None:
    """Whether one of the texts ``names`` of a message, which is ``value``, holds what it must not.

    Only an escape, a DEL or a character beyond ASCII can hide that: JSON does not allow other
    control characters, so most records need no search.
    """
    if b"\\" in value or b"\x7f" in value or not value.isascii():
        for name in names:
            if found := _UNWANTED.search(getattr(message, name) or ""):
                return Bad(Reason.BAD_TEXT, f"{found.group()!r} in {name}")
    return None


def misplaced(account: str, partition: int, partitions: int) -> Bad | None:
    """Whether records keyed by ``account`` belong to another partition."""
    if (right := partition_of(account, partitions)) == partition:
        return None
    detail = f"{account} belongs to partition {right} of {partitions}"
    return Bad(Reason.WRONG_PARTITION, _cut(detail))


def malformed(error: Exception) -> Bad:
    """No JSON at all, or JSON with half a character in it."""
    reason = Reason.BAD_TEXT if "surrogate" in str(error) else Reason.BAD_JSON
    return Bad(reason, _cut(str(error)))


def readable(error: msgspec.ValidationError) -> str:
    """The message of ``error``, with a word for the long pattern of accounts and networks."""
    message, _, place = str(error).rpartition(" - at ")
    if "matching regex" in message:
        return f"Expected a known network - at {place}"
    return _cut(str(error))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_DETAIL else text[: LONGEST_DETAIL - 1] + "…"
