"""The five kinds of interaction, in the order of the score model: the position is stored.

Rows of ``weighed`` are of one more kind, an account's own posts, which are no interactions.
"""

from enum import Enum
from typing import Final


class Kind(str, Enum):
    """What one account did to another."""

    LIKE = "like"
    MENTION = "mention"
    COMMENT = "comment"
    RETWEET = "retweet"
    RECOMMENDATION = "recommendation"


KINDS: Final[tuple[Kind, ...]] = (
    Kind.LIKE,
    Kind.MENTION,
    Kind.COMMENT,
    Kind.RETWEET,
    Kind.RECOMMENDATION,
)
KIND_INDEX: Final[dict[str, int]] = {kind.value: index for index, kind in enumerate(KINDS)}

POST: Final = len(KINDS)
"""The number of an own post where the kind of a row is stored: the one after the interactions."""
POST_NAME: Final = "post"
ROW_KINDS: Final[tuple[str, ...]] = (*(kind.value for kind in KINDS), POST_NAME)
"""The names of the kinds that a row of ``weighed`` may have, in the order of their numbers."""
