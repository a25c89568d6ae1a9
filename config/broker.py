"""How to reach Kafka: options for its clients, the topics made and checked, the log's identity."""

import contextlib
import secrets
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from config.errors import Unreachable, WrongUse
from config.settings import Settings
from schemas.topics import Topic

_CONNECT_SECONDS = 5.0
_BOOTSTRAP_MS = 10_000


def bootstrap_servers(settings: Settings) -> list[str]:
    """The broker addresses; raises ``WrongUse`` if none is set."""
    if not settings.kafka:
        raise WrongUse("no broker is set: set RENOWN_KAFKA to host:port, or start renown up")
    return settings.kafka.split(",")


def kafka_python_options(settings: Settings) -> dict[str, Any]:
    """Connection options of every kafka-python client."""
    options: dict[str, Any] = {
        "bootstrap_servers": bootstrap_servers(settings),
        "security_protocol": settings.kafka_security,
    }
    if settings.kafka_security.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    if settings.kafka_security.endswith("SSL") and settings.kafka_ca_file:
        options["ssl_cafile"] = str(settings.kafka_ca_file)
    return options


def librdkafka_options(settings: Settings) -> dict[str, Any]:
    """The same for confluent-kafka."""
    options: dict[str, Any] = {
        "bootstrap.servers": ",".join(bootstrap_servers(settings)),
        "security.protocol": settings.kafka_security.lower(),
    }
    if settings.kafka_security.startswith("SASL"):
        options |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_user,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    if settings.kafka_security.endswith("SSL") and settings.kafka_ca_file:
        options["ssl.ca.location"] = str(settings.kafka_ca_file)
    return options


def check_broker(settings: Settings) -> None:
    """Raise ``Unreachable`` unless one of the brokers accepts a connection."""
    reasons = []
    for address in bootstrap_servers(settings):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
        except OSError as error:
            reasons.append(f"{address} ({error.strerror or error})")
        else:
            return
    raise Unreachable(
        f"cannot reach Kafka at {', '.join(reasons)}: start it or correct RENOWN_KAFKA"
    )


def ensure_topics(settings: Settings) -> None:
    """Make the topics that are missing and check the partitions of the others.

    Raises:
        Unreachable: no broker answers.
        WrongUse: a topic has another number of partitions than ``RENOWN_PARTITIONS``.
    """
    check_broker(settings)
    try:
        admin = KafkaAdminClient(
            **kafka_python_options(settings),
            bootstrap_timeout_ms=_BOOTSTRAP_MS,
            request_timeout_ms=15_000,
        )
    except KafkaError as error:
        raise Unreachable(
            f"Kafka at {settings.kafka} does not answer as a broker should ({error}): "
            "correct RENOWN_KAFKA and the settings of its security"
        ) from error
    try:
        existing = set(admin.list_topics())
        missing = [topic for topic in Topic if topic.value not in existing]
        for topic in missing:
            _create(admin, topic, settings)
        _check_partitions(admin, settings)
    except KafkaError as error:
        raise Unreachable(f"cannot make the topics at {settings.kafka}: {error!r}") from error
    finally:
        admin.close()


def partitions_of(topic: Topic, settings: Settings) -> int:
    """How many partitions ``topic`` has by the settings."""
    return 1 if topic is Topic.LOG else settings.partitions


def _create(admin: KafkaAdminClient, topic: Topic, settings: Settings) -> None:
    new = NewTopic(
        topic.value,
        partitions_of(topic, settings),
        settings.kafka_replication,
        topic_configs=topic.settings.config(),
    )
    with contextlib.suppress(TopicAlreadyExistsError):  # another process was quicker
        admin.create_topics([new])


def _check_partitions(admin: KafkaAdminClient, settings: Settings) -> None:
    for found in admin.describe_topics([topic.value for topic in Topic]):
        name = found.get("name") or found.get("topic")
        have, want = len(found["partitions"]), partitions_of(Topic(name), settings)
        if have and have != want:
            raise WrongUse(
                f"topic {name} has {have} partitions, RENOWN_PARTITIONS says {want}: "
                f"set RENOWN_PARTITIONS={have}; or, to have {want}, stop agents and workers once "
                "everything is stored, delete the topics and run renown rebuild (its --help "
                "lists the steps)"
            )


def delete_everything(settings: Settings, groups: list[str]) -> None:
    """Delete all topics of this project and the consumer ``groups``; returns when they are gone.

    Raises ``Unreachable`` if the broker does not do so within 30 s.
    """
    admin = KafkaAdminClient(**kafka_python_options(settings))
    deadline = time.monotonic() + 30.0
    try:
        while True:
            ours = {topic.value for topic in Topic} & set(admin.list_topics())
            held = {group["group_id"] for group in admin.list_groups()} & set(groups)
            if not ours and not held:
                return
            with contextlib.suppress(KafkaError):  # a member is still known, or a delete under way
                if ours:
                    admin.delete_topics(sorted(ours))
                admin.delete_groups(sorted(held))
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"Kafka at {settings.kafka} still holds {', '.join(sorted(ours | held))}: "
                    "stop whatever uses them and try again"
                )
            time.sleep(0.5)
    finally:
        admin.close()


def log_ends(consumer: KafkaConsumer, partitions: Iterable[TopicPartition]) -> dict[Any, int]:
    """The next offset to be written of each partition; re-assigns ``consumer``.

    A broker's answer to "latest" may be too low (the embedded one's is the last batch's start), so
    the high watermark is taken from a fetch. Raises ``Unreachable`` after 15 s without an answer.
    """
    ends = latest_offsets(consumer, list(partitions))
    # "Latest" of 0 says that nothing can be read, and a fetch would only wait. (The embedded broker
    # says so too of a partition of which it forgot everything, until something is written again.)
    marks = high_watermarks(consumer, {tp: end for tp, end in ends.items() if end})
    return {tp: max(end, marks.get(tp, 0)) for tp, end in ends.items()}


def high_watermarks(consumer: KafkaConsumer, starts: Mapping[Any, int]) -> dict[Any, int]:
    """What fetches from ``starts`` say of where each partition ends; re-assigns ``consumer``.

    Raises ``Unreachable`` after 15 s without an answer.
    """
    marks: dict[Any, int] = {}
    consumer.unsubscribe()
    consumer.assign(sorted(starts))
    for tp, offset in starts.items():
        consumer.seek(tp, offset)
    deadline = time.monotonic() + 15.0
    while waited_for := starts.keys() - marks.keys():
        if time.monotonic() > deadline:
            raise Unreachable(f"no answer about the ends of {len(waited_for)} partitions in 15 s")
        consumer.poll(timeout_ms=50)
        known = ((tp, consumer.highwater(tp)) for tp in waited_for)
        marks |= {tp: mark for tp, mark in known if mark is not None}
    return marks


def latest_offsets(consumer: KafkaConsumer, partitions: list[TopicPartition]) -> dict[Any, int]:
    """The broker's own answer to "latest", asked again where it is a partial one.

    Raises ``Unreachable`` if it stays partial for 2 s.
    """
    for _attempt in range(20):
        with contextlib.suppress(KeyError):  # what kafka-python raises for a partial answer
            return dict(consumer.end_offsets(partitions))
        time.sleep(0.1)
    raise Unreachable("Kafka gives no end for some partitions: see the broker's log")


def log_incarnation(settings: Settings, maker: str = "") -> int:
    """The identity of this broker's log, made by the first who asks: ms since 1970 << 20 | random.

    A broker that lost its data gets a new, higher one. ``maker`` is kept as the record's key.
    """
    return _identity(settings, maker)[0]


def log_maker(settings: Settings) -> str:
    """Who made this broker's log, as told to ``log_incarnation``."""
    return _identity(settings, "")[1]


def _identity(settings: Settings, maker: str) -> tuple[int, str]:
    tp = TopicPartition(Topic.LOG.value, 0)
    options = kafka_python_options(settings)
    consumer = KafkaConsumer(**options, enable_auto_commit=False, consumer_timeout_ms=10_000)
    try:
        consumer.assign([tp])
        if not consumer.end_offsets([tp])[tp]:
            with_id = KafkaProducer(**options, acks="all", enable_idempotence=True)
            identity = int(time.time() * 1000) << 20 | secrets.randbits(20)
            value = str(identity).encode()
            with_id.send(Topic.LOG.value, value, key=maker.encode(), partition=0).get(10)
            with_id.close()
        consumer.seek(tp, 0)
        # The first record counts, so that two who ask at once agree.
        for record in consumer:
            return int(record.value), (record.key or b"").decode()
    except KafkaError as error:
        raise Unreachable(
            f"cannot read {Topic.LOG.value} at {settings.kafka}: {error!r}"
        ) from error
    finally:
        consumer.close()
    raise Unreachable(f"cannot read {Topic.LOG.value} at {settings.kafka}: no record within 10 s")
