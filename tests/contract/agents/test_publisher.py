"""The publisher on brokers: what is acknowledged is there, once, in order, in its partition."""

import gc
import logging
import secrets
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from kafka.consumer.fetcher import ConsumerRecord

from agents.formats import Format
from agents.publisher import Publisher
from agents.sources.replay import Replay, replay_cursor
from config.broker import ensure_topics, kafka_python_options
from config.errors import Unreachable, WrongUse
from config.settings import Settings, load_settings
from renown.embedded.broker import EmbeddedBroker
from schemas.interaction import Heartbeat, Interaction
from schemas.kinds import KINDS
from schemas.partitioner import partition_of
from schemas.topics import INTERACTION_TOPICS, Topic
from tests.support.interactions import NOON, interaction
from tests.support.stack import log_ends, read_topic

PARTITIONS = 4

Ends = dict[str, dict[int, int]]


@pytest.fixture
def settings(broker: str) -> Settings:
    settings = load_settings(kafka=broker, partitions=PARTITIONS)
    ensure_topics(settings)
    return settings


@pytest.fixture
def before(settings: Settings) -> Ends:
    """The brokers are shared: where the logs ended when the test began."""
    return {topic.value: log_ends(settings.kafka, topic.value) for topic in INTERACTION_TOPICS}


@pytest.fixture
def quiet() -> Iterator[None]:
    """Without the client's complaints about a broker that is away, and the sockets it forgets."""
    logger = logging.getLogger("kafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def published(settings: Settings, before: Ends, topic: Topic) -> list[ConsumerRecord]:
    return [
        record
        for record in read_topic(settings.kafka, topic.value)
        if record.offset >= before[topic.value][record.partition]
    ]


def publisher_of(settings: Settings, **options: float) -> Publisher:
    return Publisher(
        kafka_python_options(settings),
        settings.partitions,
        agent="test",
        **options,  # type: ignore[arg-type]
    )


def test_everything_arrives_once_in_order_in_the_actors_partition(
    settings: Settings, before: Ends
) -> None:
    run = secrets.token_hex(4)
    sent = [
        interaction(id=f"{run}-{n}", kind=KINDS[n % 5], actor=f"twitter:{run}{n % 97}", at=NOON + n)
        for n in range(20_000)
    ]
    with publisher_of(settings, waiting_bytes=2_000_000) as publisher:
        for one in sent:
            publisher.publish(one)
        publisher.flush()
        assert sum(publisher.published.values()) == 20_000
    for topic in INTERACTION_TOPICS:
        found = published(settings, before, topic)
        wanted = [one for one in sent if Topic.of_kind(one.kind) is topic]
        assert len(found) == len(wanted)
        per_partition: dict[int, list[Interaction]] = {n: [] for n in range(PARTITIONS)}
        for record in found:
            one = msgspec.json.decode(record.value, type=Interaction)
            assert record.key == one.actor.encode()
            assert record.partition == partition_of(one.actor, PARTITIONS)
            assert abs(record.timestamp - time.time() * 1000) < 120_000
            per_partition[record.partition].append(one)
        for partition, ones in per_partition.items():
            expected = [one for one in wanted if partition_of(one.actor, PARTITIONS) == partition]
            assert ones == expected


def test_heartbeats_reach_every_partition(settings: Settings, before: Ends) -> None:
    with publisher_of(settings) as publisher:
        publisher.heartbeat(NOON)
    for topic in INTERACTION_TOPICS:
        found = published(settings, before, topic)
        assert [record.partition for record in found] == list(range(PARTITIONS))
        for record in found:
            assert msgspec.json.decode(record.value, type=Heartbeat).clock == NOON


def test_raw_bytes_arrive_unchanged(settings: Settings, before: Ends) -> None:
    noise = bytes(range(256))
    large = b"x" * 2_000_000
    with publisher_of(settings) as publisher:
        publisher.publish_raw(Topic.LIKE, None, noise, [("renown-reason", b"noise")])
        publisher.publish_raw(Topic.LIKE, b"twitter:ada", large)
        publisher.publish_raw(Topic.LIKE, b"twitter:ada", None)
    found = {record.value: record for record in published(settings, before, Topic.LIKE)}
    assert set(found) == {noise, large, None}
    assert found[noise].headers == [("renown-reason", b"noise")]
    assert found[large].partition == partition_of("twitter:ada", PARTITIONS)


def test_acknowledgement_means_that_the_records_are_there(settings: Settings, before: Ends) -> None:
    seen: list[int] = []
    with publisher_of(settings) as publisher:
        for n in range(500):
            publisher.publish(interaction(id=str(n)))
        publisher.after_acknowledged(
            lambda: seen.append(len(published(settings, before, Topic.RETWEET)))
        )
        deadline = time.monotonic() + 20
        while not seen and time.monotonic() < deadline:
            publisher.poll()
            time.sleep(0.01)
    assert seen == [500]


def test_a_wrong_number_of_partitions_is_noticed(settings: Settings) -> None:
    with pytest.raises(WrongUse, match=r"has 4 partitions, not 5: set RENOWN_PARTITIONS=4"):
        Publisher(kafka_python_options(settings), 5)


def stop_after_records(publisher: Publisher, number: int, stop: Callable[[], None]) -> None:
    plain = publisher.publish

    def publish(interaction: Interaction, encoded: bytes | None = None) -> None:
        plain(interaction, encoded)
        if sum(publisher.published.values()) == number:
            stop()

    publisher.publish = publish  # type: ignore[method-assign]


def test_an_interrupted_replay_loses_nothing(
    settings: Settings, before: Ends, tmp_path: Path
) -> None:
    path = tmp_path / "edges.txt"
    path.write_text(
        "".join(f"{n} 7 {1_341_100_800 + n} RT\n" for n in range(100, 5100)), encoding="ascii"
    )
    reports = []
    for stop_after in (700, 3000, 10_000):
        cursor = replay_cursor(tmp_path, path, Format.SNAP, destination="this log")
        with publisher_of(settings) as publisher:
            replay = Replay(path, Format.SNAP, publisher, cursor=cursor)
            stop_after_records(publisher, stop_after, replay.stop)
            reports.append(replay.run())
    assert [report.finished for report in reports] == [False, False, True]
    assert [report.read for report in reports] == [700, 3700, 5000]
    values = [record.value for record in published(settings, before, Topic.RETWEET)]
    actors = [
        msgspec.json.decode(value, type=Interaction).actor
        for value in values
        if b'"clock"' not in value
    ]
    assert sorted(actors) == sorted(f"twitter:{n}" for n in range(100, 5100))


def test_a_broker_that_goes_away_is_unreachable_within_the_delivery_time(quiet: None) -> None:
    with EmbeddedBroker() as broker:
        settings = load_settings(kafka=broker.address, partitions=1)
        ensure_topics(settings)
        publisher = publisher_of(settings, delivery_seconds=2.0)
        publisher.publish(interaction())
        publisher.flush()
        told: list[bool] = []
        broker.stop()
        publisher.publish(interaction())
        publisher.after_acknowledged(lambda: told.append(True))
        started = time.monotonic()
        with pytest.raises(Unreachable, match=r"took nothing for 2 s"):
            publisher.flush()
        assert time.monotonic() - started < 8
        with pytest.raises(Unreachable):
            publisher.publish(interaction())
        publisher.close()
        assert not told


def publish_many(publisher: Publisher) -> None:
    for _ in range(1000):
        publisher.publish(interaction())


def test_a_full_buffer_and_no_broker_is_unreachable(quiet: None) -> None:
    with EmbeddedBroker() as broker:
        settings = load_settings(kafka=broker.address, partitions=1)
        ensure_topics(settings)
        publisher = publisher_of(settings, delivery_seconds=2.0, waiting_bytes=50_000)
        broker.stop()
        with pytest.raises(Unreachable, match=r"took nothing"):
            publish_many(publisher)
        publisher.close()


def test_no_broker_at_the_start_is_unreachable(quiet: None) -> None:
    with pytest.raises(Unreachable, match=r"cannot reach Kafka at 127.0.0.1:1 \(.*RENOWN_KAFKA"):
        Publisher({"bootstrap_servers": ["127.0.0.1:1"]}, 4)
