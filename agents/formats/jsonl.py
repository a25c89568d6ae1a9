"""Renown's own format: one ``Interaction`` or ``Heartbeat`` as JSON a line, published unchanged."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from agents.source import (
    ABSURD_TIME,
    SELF,
    Accepted,
    Beat,
    Dropped,
    Item,
    Line,
    Rejected,
    time_trouble,
    too_long,
)
from schemas.interaction import Heartbeat, Interaction

_NOT_ONE: Final = "not an interaction"
_FAILURES: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_interaction = msgspec.json.Decoder(Interaction)
_heartbeat = msgspec.json.Decoder(Heartbeat)


def items(lines: Iterable[Line], received_at: int) -> Iterator[Item]:
    """Items of ``lines``; blank lines give none.

    An event time is also held against the time of receipt that the interaction itself states.
    """
    for line in lines:
        if line.cut:
            yield too_long(line)
        elif line.body.strip():
            yield _item(line, received_at)


def _item(line: Line, received_at: int) -> Item:
    number, body = line.number, line.body
    try:
        interaction = _interaction.decode(body)
    except _FAILURES as error:
        return _beat(line, received_at) or Rejected(number, _NOT_ONE, str(error)[:200], body)
    if trouble := time_trouble(interaction.at, min(interaction.received_at, received_at)):
        return Rejected(number, ABSURD_TIME, trouble, body)
    if interaction.target is None and not interaction.undo:
        return Rejected(number, _NOT_ONE, "only an undo may be without a target", body)
    if interaction.target == interaction.actor:
        return Dropped(number, SELF)
    return Accepted(number, interaction, raw=body)


def _beat(line: Line, received_at: int) -> Item | None:
    if b'"clock"' not in line.body:
        return None
    try:
        clock = _heartbeat.decode(line.body).clock
    except _FAILURES:
        return None
    if trouble := time_trouble(clock, received_at):
        return Rejected(line.number, ABSURD_TIME, trouble, line.body)
    return Beat(line.number, clock)
