"""Consumer groups of the workers, which are also their jobs for operators, and what they read."""

from typing import Final

from schemas.topics import SOURCE_TOPICS, Topic

SCORE_GROUP: Final = "renown-score"
SCORE_TOPICS: Final = (*SOURCE_TOPICS, Topic.WEIGHED)

SINK_GROUP: Final = "renown-sink"
SINK_TOPICS: Final = (Topic.WEIGHED, Topic.SCORES, Topic.DEAD_LETTERS)
