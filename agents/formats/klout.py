"""Klout's when-to-post events: tab-separated, one reaction to a post a line.

Columns: user (who is reacted to), actor, post, time of the post and of the reaction (ms), time
zone. On Twitter the reactions are retweets, on Facebook comments.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

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
    rb"(-?\d{1,20})\t(-?\d{1,20})\t(-?\d{1,20})\t\d{1,15}\t(\d{1,15})\t[^\t]*"
)
_KINDS: Final = {"facebook": Kind.COMMENT}


def items(lines: Iterable[Line], received_at: int, *, network: str) -> Iterator[Item]:
    """Items of ``lines``; blank lines and the header (``#``) give none."""
    kind = _KINDS.get(network, Kind.RETWEET)
    for line in lines:
        if line.cut:
            yield too_long(line)
        elif line.body.strip() and not line.body.startswith(b"#"):
            yield _item(line, received_at, network, kind)


def _item(line: Line, received_at: int, network: str, kind: Kind) -> Item:
    found = _LINE.fullmatch(line.body)
    if not found:
        detail = "is not: user, actor, post, two times in ms, time zone, with tabs between"
        return Rejected(line.number, "not a Klout line", detail, line.body)
    user, actor, post, reacted = (group.decode() for group in found.groups())
    at = int(reacted)
    if trouble := time_trouble(at, received_at):
        return Rejected(line.number, ABSURD_TIME, trouble, line.body)
    if user == actor:
        return Dropped(line.number, SELF)
    source, target = f"{network}:{actor}", f"{network}:{user}"
    interaction = Interaction(
        id=derived_id(network, kind.value, source, target, post, at),
        kind=kind,
        network=network,
        actor=source,
        target=target,
        object=post,
        at=at,
        received_at=at,
    )
    return Accepted(line.number, interaction)
