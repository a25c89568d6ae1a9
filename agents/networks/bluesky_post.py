"""What a Bluesky post record (``app.bsky.feed.post``) says about others and about itself.

A reply is a comment on the author of its parent, a quote one on the author of what is quoted, a
mention is a mention; of these, one a target, in this order. An edit may only add mentions: its
replies and quotes were counted when the post was new, so here they only take mentions in, and a
mention keeps its id.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from agents.networks.bluesky_text import account_of, clean, inside, listed, uri_of
from agents.networks.found import Part
from schemas.kinds import Kind

MOST_MENTIONS: Final = 100
MOST_TOPICS: Final = 32

_MENTION: Final = "app.bsky.richtext.facet#mention"
_TAG: Final = "app.bsky.richtext.facet#tag"
_QUOTE: Final = "app.bsky.embed.record"
_QUOTE_WITH_MEDIA: Final = "app.bsky.embed.recordWithMedia"
_MEDIA: Final = {
    "app.bsky.embed.images": "image",
    "app.bsky.embed.video": "video",
    "app.bsky.embed.external": "link",
    _QUOTE: "quote",
}

UNREADABLE_REPLY: Final = "unreadable reply"
UNREADABLE_QUOTE: Final = "unreadable quote"
UNREADABLE_MENTION: Final = "unreadable mention"
TOO_MANY_MENTIONS: Final = "too many mentions"


class Said(NamedTuple):
    """``parts`` in the order in which they fold; ``dropped``: reasons of what cannot be used."""

    parts: tuple[Part, ...]
    dropped: tuple[str, ...]


def said_by(record: dict[str, Any], *, edited: bool) -> Said:
    """What the post does to others."""
    parts: list[Part] = []
    dropped: list[str] = []
    for subject, suffix, reason in (
        (_parent(record), False, UNREADABLE_REPLY),
        (_quoted(record.get("embed")), True, UNREADABLE_QUOTE),
    ):
        if subject is None:
            continue
        if uri := uri_of(subject):
            part = Part(Kind.COMMENT, uri.text, uri.target, uri.key, suffix, silent=edited)
            parts.append(part)
        else:
            dropped.append(reason)
    mentioned = [did for type_, did in _features(record, "did") if type_ == _MENTION]
    for did in mentioned[:MOST_MENTIONS]:
        if account := account_of(did):
            parts.append(Part(Kind.MENTION, target=account))
        else:
            dropped.append(UNREADABLE_MENTION)
    if len(mentioned) > MOST_MENTIONS:
        dropped.append(TOO_MANY_MENTIONS)
    return Said(tuple(parts), tuple(dropped))


def media_of(record: dict[str, Any]) -> tuple[str, ...]:
    """The kinds of what is embedded: image, video, link, quote."""
    embed = record.get("embed")
    type_ = inside(embed, "$type")
    found = (inside(embed, "media", "$type"), _QUOTE) if type_ == _QUOTE_WITH_MEDIA else (type_,)
    return tuple(_MEDIA[each] for each in found if isinstance(each, str) and each in _MEDIA)


def topics_of(record: dict[str, Any]) -> tuple[str, ...]:
    """Its hashtags in lower case, those in the text and those beside it, each once."""
    tags = [tag for type_, tag in _features(record, "tag") if type_ == _TAG]
    topics: dict[str, None] = {}
    for tag in [*listed(record.get("tags")), *tags]:
        if topic := clean(tag).lower():
            topics[topic] = None
        if len(topics) == MOST_TOPICS:
            break
    return tuple(topics)


def _parent(record: dict[str, Any]) -> Any:
    """The URI of what is answered; something that is none where it cannot be read."""
    reply = record.get("reply")
    return None if reply is None else inside(reply, "parent", "uri") or ""


def _quoted(embed: object) -> Any:
    match inside(embed, "$type"):
        case "app.bsky.embed.record":
            return inside(embed, "record", "uri") or ""
        case "app.bsky.embed.recordWithMedia":
            return inside(embed, "record", "record", "uri") or ""
        case _:
            return None


def _features(record: dict[str, Any], field: str) -> Iterator[tuple[Any, Any]]:
    """Type and ``field`` of every feature of every facet."""
    for facet in listed(record.get("facets")):
        for feature in listed(inside(facet, "features")):
            if isinstance(feature, dict):
                yield feature.get("$type"), feature.get(field)
