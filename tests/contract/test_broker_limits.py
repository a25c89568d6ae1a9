"""Where the embedded broker differs from Apache Kafka; whoever relies on this must know it changed.

A test that fails here after an update is good news: see deploy/decisions/0002-embedded-broker.md.
"""

import uuid
from contextlib import closing

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaConnectionError

from renown.embedded.broker import EmbeddedBroker
from tests.support.stack import create_topics, log_ends, read_topic


@pytest.fixture
def topic(embedded_broker: EmbeddedBroker) -> str:
    """A topic whose one partition holds a hundred records in one batch."""
    name = f"l-{uuid.uuid4().hex[:12]}"
    create_topics(embedded_broker.address, {name: 1}, {"cleanup.policy": "compact"})
    with closing(
        KafkaProducer(bootstrap_servers=embedded_broker.address, linger_ms=500)
    ) as producer:
        for number in range(100):
            producer.send(name, key=b"the same", value=b"%d" % number)
        producer.flush()
    return name


def test_list_offsets_gives_only_a_lower_bound_of_the_end(
    embedded_broker: EmbeddedBroker, topic: str
) -> None:
    part = TopicPartition(topic, 0)
    with closing(KafkaConsumer(bootstrap_servers=embedded_broker.address)) as consumer:
        assert consumer.end_offsets([part])[part] == 1
    assert log_ends(embedded_broker.address, topic) == {0: 100}


def test_delete_records_is_refused_by_hanging_up(
    embedded_broker: EmbeddedBroker, topic: str
) -> None:
    with (
        closing(KafkaAdminClient(bootstrap_servers=embedded_broker.address)) as admin,
        pytest.raises(KafkaConnectionError),
    ):
        admin.delete_records({TopicPartition(topic, 0): 50})
    assert embedded_broker.running


def test_nothing_is_compacted_away(embedded_broker: EmbeddedBroker, topic: str) -> None:
    assert len(read_topic(embedded_broker.address, topic)) == 100
