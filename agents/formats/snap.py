"""SNAP edge list with time: ``actor target unix-seconds RT|MT|RE``, one interaction a line.

A reply stands there twice, as ``RE`` and as ``MT`` of the same two users in the same second, next
to each other: the two lines are one comment. An ``RE`` without its twin is a comment as well.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from agents.ids import derived_id
from agents.source import (
    ABSURD_TIME,
    SELF,
    Accepted,
    Dropped,
    Item,
    Line,
    Rejected,
    time_trouble,
    too_long,
)
from schemas.interaction import Interaction
from schemas.kinds import Kind

_LINE: Final = re.compile(
    rb"[ \t]*([^\x00-\x20\x7f]{1,256})[ \t]+([^\x00-\x20\x7f]{1,256})"
    rb"[ \t]+(\d{1,15})[ \t]+(RT|MT|RE)[ \t]*"
)
_KINDS: Final = {b"RT": Kind.RETWEET, b"MT": Kind.MENTION, b"RE": Kind.COMMENT}
_TWINS: Final = {Kind.MENTION, Kind.COMMENT}


class _Edge(NamedTuple):
    line: int
    actor: str
    target: str
    at: int
    kind: Kind
    folded: int = 0


def items(lines: Iterable[Line], received_at: int, *, network: str = "twitter") -> Iterator[Item]:
    """Items of ``lines``; blank lines and comments (``#``) give none."""
    held: _Edge | None = None  # may still turn out to be the first of two twins
    for line in lines:
        body = line.body
        if not body.strip() or body.startswith(b"#"):
            continue
        edge = too_long(line) if line.cut else _edge(line.number, body, received_at)
        if isinstance(edge, Rejected):
            if held:
                yield _item(held, network)
            held = None
            yield edge
        elif held and _are_twins(held, edge):
            yield _item(edge._replace(kind=Kind.COMMENT, folded=1), network)
            held = None
        else:
            if held:
                yield _item(held, network)
            held = edge
    if held:
        yield _item(held, network)


def _edge(number: int, body: bytes, received_at: int) -> _Edge | Rejected:
    found = _LINE.fullmatch(body)
    if not found:
        detail = "is not: actor target unix-seconds RT|MT|RE"
        return Rejected(number, "not a SNAP line", detail, body)
    actor, target, seconds, code = found.groups()
    at = int(seconds) * 1000
    if trouble := time_trouble(at, received_at):
        return Rejected(number, ABSURD_TIME, trouble, body)
    try:
        return _Edge(number, actor.decode(), target.decode(), at, _KINDS[code])
    except UnicodeDecodeError:
        return Rejected(number, "not a SNAP line", "a user is not UTF-8 text", body)


def _are_twins(one: _Edge, other: _Edge) -> bool:
    return one[1:4] == other[1:4] and {one.kind, other.kind} == _TWINS


def _item(edge: _Edge, network: str) -> Item:
    if edge.actor == edge.target:
        return Dropped(edge.line, SELF, edge.folded)
    actor, target = f"{network}:{edge.actor}", f"{network}:{edge.target}"
    interaction = Interaction(
        id=derived_id(network, edge.kind.value, actor, target, None, edge.at),
        kind=edge.kind,
        network=network,
        actor=actor,
        target=target,
        at=edge.at,
        received_at=edge.at,
    )
    return Accepted(edge.line, interaction, edge.folded)
