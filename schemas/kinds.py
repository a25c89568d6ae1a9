"""The five kinds of interaction, in the order of the score model: the position is stored."""

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
