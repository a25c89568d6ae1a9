"""Every topic of Renown with its settings. Nothing else in the project spells a topic's name."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from schemas.kinds import KINDS, Kind

DEFAULT_PARTITIONS: Final = 4
LARGEST_RECORD: Final = 4 * 1024 * 1024
"""Largest record a topic takes, in bytes; what is larger is refused by the broker."""

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """How a topic is made. ``retention_ms`` of None: kept until compacted or truncated."""

    retention_ms: int | None = None
    compacted: bool = False

    def config(self) -> dict[str, str]:
        """The broker's own settings for this topic."""
        settings = {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "max.message.bytes": str(LARGEST_RECORD),
        }
        if self.retention_ms is not None:
            settings["retention.ms"] = str(self.retention_ms)
        elif not self.compacted:
            settings["retention.ms"] = "-1"
        return settings


class Topic(str, Enum):
    """The public and internal topics (the changelogs included).

    ``LOG`` has one partition and one record: the identity of this broker's log, by which readers
    notice that offsets started again.
    """

    LIKE = "interactions.like"
    RETWEET = "interactions.retweet"
    MENTION = "interactions.mention"
    COMMENT = "interactions.comment"
    RECOMMENDATION = "interactions.recommendation"
    POSTS = "posts"
    ACCOUNTS = "accounts"
    IDENTITIES = "identities"
    WEIGHED = "weighed"
    STANDING = "standing"
    CONTRIBUTIONS = "contributions"
    SCORES = "scores"
    DEAD_LETTERS = "dead-letters"
    WEIGH_CHANGELOG = "renown-weigh-changelog"
    SCORE_CHANGELOG = "renown-score-changelog"
    LOG = "renown-log"

    @property
    def settings(self) -> TopicSettings:
        """Retention and cleanup of this topic."""
        return _SETTINGS[self]

    @classmethod
    def of_kind(cls, kind: Kind | str) -> "Topic":
        """The topic that interactions of ``kind`` travel on."""
        return cls(f"interactions.{Kind(kind).value}")


INTERACTION_TOPICS: Final[tuple[Topic, ...]] = tuple(Topic.of_kind(kind) for kind in KINDS)
"""The five interaction topics, in the order of ``KINDS``."""

SOURCE_TOPICS: Final[tuple[Topic, ...]] = (*INTERACTION_TOPICS, Topic.POSTS)
"""All topics that ``weigh`` reads, in the order of ``ROW_KINDS``."""

_WEEK: Final = TopicSettings(retention_ms=7 * _DAY_MS)
_COMPACTED: Final = TopicSettings(compacted=True)
_SETTINGS: Final[dict[Topic, TopicSettings]] = {
    **dict.fromkeys(INTERACTION_TOPICS, _WEEK),
    Topic.POSTS: _WEEK,
    Topic.ACCOUNTS: _COMPACTED,
    Topic.IDENTITIES: _COMPACTED,
    Topic.WEIGHED: _WEEK,
    Topic.STANDING: _COMPACTED,
    Topic.CONTRIBUTIONS: _COMPACTED,
    Topic.SCORES: _COMPACTED,
    Topic.DEAD_LETTERS: TopicSettings(retention_ms=30 * _DAY_MS),
    Topic.WEIGH_CHANGELOG: TopicSettings(),
    Topic.SCORE_CHANGELOG: TopicSettings(),
    Topic.LOG: TopicSettings(),
}
