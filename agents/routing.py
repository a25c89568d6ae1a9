"""Where bytes go that are no interaction: to the topic of the kind they claim, if they claim one.

``weigh`` then sets them aside as dead letters, so a broken line is never lost in silence. The topic
and the key depend on the bytes alone: the same line always lands in the same partition.
"""

import re
from typing import Final

from schemas.kinds import KINDS
from schemas.topics import Topic

_KIND: Final = re.compile(
    rb'"kind"\s*:\s*"(' + b"|".join(kind.value.encode() for kind in KINDS) + rb')"'
)
_ACTOR: Final = re.compile(rb'"actor"\s*:\s*"([^"\\\x00-\x1f]{1,512})"')
_LOOKED_AT: Final = 64 * 1024

UNREADABLE: Final = Topic.LIKE
"""The topic of bytes that name no kind."""


def route_of_broken(raw: bytes) -> tuple[Topic, bytes | None]:
    """Topic and key of ``raw``: of its own kind and actor where they can be made out."""
    head = raw[:_LOOKED_AT]
    kind, actor = _KIND.search(head), _ACTOR.search(head)
    topic = Topic.of_kind(kind[1].decode()) if kind else UNREADABLE
    return topic, actor[1] if actor else None
