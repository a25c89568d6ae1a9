"""The generator on brokers: everything that it counts lies there, batched, and quickly."""

import time
from collections import Counter
from contextlib import ExitStack

import msgspec
import pytest

from agents.publisher import Publisher
from agents.sources.generate import Generate, Pacing
from config.broker import ensure_topics, kafka_python_options
from config.settings import Settings, load_settings
from renown.cli.generate import BATCH_BYTES, COMPRESSION, LINGER_MS
from schemas.interaction import Interaction
from schemas.kinds import KINDS
from schemas.post import Post
from schemas.topics import INTERACTION_TOPICS, Topic
from tests.support.stack import log_ends, read_topic
from tests.support.worlds import world

EVENTS = 10_000


@pytest.fixture
def settings(broker: str) -> Settings:
    settings = load_settings(kafka=broker)
    ensure_topics(settings)
    return settings


def test_everything_that_was_counted_is_on_the_broker(settings: Settings) -> None:
    topics = (*INTERACTION_TOPICS, Topic.POSTS)
    before = {topic: log_ends(settings.kafka, topic.value) for topic in topics}
    made = world(dirt=0.02)
    with ExitStack() as stack:
        publisher = stack.enter_context(
            Publisher(
                kafka_python_options(settings),
                settings.partitions,
                compression=COMPRESSION,
                linger_ms=LINGER_MS,
                batch_bytes=BATCH_BYTES,
            )
        )
        source = Generate(made, publisher, pacing=Pacing.HISTORY, events=EVENTS)
        report = source.run()
        assert source.acknowledged == report.reached
    found: Counter[str] = Counter()
    for topic in topics:
        for record in read_topic(settings.kafka, topic.value):
            if record.offset < before[topic][record.partition]:
                continue
            if topic is Topic.POSTS:
                post = msgspec.json.decode(record.value, type=Post)
                assert record.key == post.author.encode()
                found["post"] += 1
            elif dict(record.headers).get("renown-source"):
                found["dirt"] += 1
            elif b'"clock"' not in record.value:
                one = msgspec.json.decode(record.value, type=Interaction)
                assert Topic.of_kind(one.kind) is topic
                assert record.key == one.actor.encode()
                found[one.kind.value] += 1
    assert {kind.value: found[kind.value] for kind in KINDS} == report.published
    assert found["post"] == report.posts > 0
    assert found["dirt"] == sum(report.dead.values()) > 0
    assert found.total() == EVENTS


def test_an_event_costs_little(settings: Settings) -> None:
    """Far above what was measured, so that only a real fault fails here."""
    with Publisher(
        kafka_python_options(settings),
        settings.partitions,
        compression=COMPRESSION,
        linger_ms=LINGER_MS,
        batch_bytes=BATCH_BYTES,
    ) as publisher:
        source = Generate(world(rate=50_000.0), publisher, pacing=Pacing.UNPACED, events=EVENTS)
        began = time.process_time()
        report = source.run()
        seconds = time.process_time() - began
    assert report.events == EVENTS
    assert seconds / EVENTS < 200e-6
