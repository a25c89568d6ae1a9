"""Values that a shell may complete. Light: it is asked at each press of TAB."""

from typing import Final

from schemas.topics import INTERACTION_TOPICS, Topic

TOPICS: Final = tuple(
    topic.value for topic in (*INTERACTION_TOPICS, Topic.POSTS, Topic.ACCOUNTS, Topic.IDENTITIES)
)


def reasons(incomplete: str) -> list[str]:
    """Reasons of dead letters, with - for each space so that a shell needs no quotes."""
    from streams.core.decode import Reason

    names = [reason.value.replace(" ", "-") for reason in Reason]
    return [name for name in names if name.startswith(incomplete)]


def topics(incomplete: str) -> list[str]:
    """Topics that records come from."""
    return [name for name in TOPICS if name.startswith(incomplete)]
