"""A Kafka that is not embedded, made ready for a demo: empty, or emptied of an earlier demo."""

from collections.abc import Callable

from kafka import KafkaConsumer, TopicPartition

from config.broker import (
    delete_everything,
    ensure_topics,
    kafka_python_options,
    latest_offsets,
    log_incarnation,
    log_maker,
)
from config.errors import WrongUse
from config.settings import Settings
from schemas.topics import SOURCE_TOPICS, Topic
from streams.groups import SCORE_GROUP, SINK_GROUP

DEMO = "demo"
"""What a log is marked with that a demo made: the next demo may delete it."""


def make_fresh(settings: Settings, say: Callable[[str], None]) -> None:
    """Let the topics exist and be empty.

    Raises ``WrongUse`` if they hold records that no demo made.
    """
    ensure_topics(settings)
    if _is_used(settings):
        if log_maker(settings) != DEMO:
            raise WrongUse(
                f"the topics on {settings.kafka} hold records that are not of a demo, which would "
                "mix with them: use another Kafka, or renown replay FILE with renown worker"
            )
        say(f"broker      deleting the topics of an earlier demo on {settings.kafka}")
        delete_everything(settings, [SCORE_GROUP, SINK_GROUP])
        ensure_topics(settings)
    log_incarnation(settings, DEMO)


def _is_used(settings: Settings) -> bool:
    """Whether anything was ever published or a log identity was made."""
    consumer = KafkaConsumer(**kafka_python_options(settings))
    try:
        partitions = [
            TopicPartition(topic.value, partition)
            for topic in (*SOURCE_TOPICS, Topic.WEIGHED, Topic.SCORES, Topic.DEAD_LETTERS)
            for partition in range(settings.partitions)
        ]
        ends = latest_offsets(consumer, [*partitions, TopicPartition(Topic.LOG.value, 0)])
        return any(ends.values())
    finally:
        consumer.close()
