"""The publisher's promises on a client that tests control; the real ones are contract tests."""

from typing import Any

import msgspec
import pytest
from kafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
from kafka.future import Future
from kafka.partitioner.default import DefaultPartitioner

from agents import publisher as module
from agents.publisher import DeliveryFailed, Publisher
from config.errors import RenownError, Unreachable, WrongUse
from schemas.account import AccountFacts
from schemas.interaction import Heartbeat
from schemas.kinds import Kind
from schemas.partitioner import partition_of
from schemas.post import Post
from schemas.topics import INTERACTION_TOPICS, Topic
from tests.support.interactions import NOON, interaction


class Delivery(Future):
    """A delivery that ``get`` completes, as if the broker had answered just then."""

    def get(self, _timeout: float) -> object:
        if not self.is_done:
            self.success(None)
        if self.exception:
            raise self.exception
        return self.value


class Client:
    """Stands in for ``KafkaProducer``."""

    made: "Client"

    def __init__(self, **options: Any) -> None:
        Client.made = self
        self.options = options
        self.sent: list[tuple[Any, ...]] = []
        self.deliveries: list[Delivery] = []
        self.answers = True
        self.raises: Exception | None = None
        self.closed = False

    def partitions_for(self, topic: str) -> set[int]:
        return set(range(4))

    def send(self, *record: Any) -> Delivery:
        if self.raises:
            raise self.raises
        self.sent.append(record)
        self.deliveries.append(Delivery())
        return self.deliveries[-1]

    def flush(self, _timeout: float) -> None:
        if not self.answers:
            raise KafkaTimeoutError
        for delivery in self.deliveries:
            if not delivery.is_done:
                delivery.success(None)

    def close(self, timeout: float) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KafkaProducer", Client)
    monkeypatch.setattr(module, "_require_listener", lambda servers: None)


@pytest.fixture
def publisher() -> Publisher:
    return Publisher({"bootstrap_servers": ["k1:9092", "k2:9092"]}, 4, agent="test")


def test_the_client_is_made_for_exactness(publisher: Publisher) -> None:
    options = Client.made.options
    assert options["acks"] == "all"
    assert options["enable_idempotence"] is True
    assert options["allow_auto_create_topics"] is False
    assert options["compression_type"] is None
    assert options["delivery_timeout_ms"] >= options["request_timeout_ms"] + options["linger_ms"]


def test_an_interaction_is_keyed_by_its_actor(publisher: Publisher) -> None:
    publisher.publish(interaction(kind=Kind.COMMENT))
    publisher.publish(interaction(), b"as it came")
    (topic, value, key, headers, partition), second = Client.made.sent
    assert (topic, key, headers) == ("interactions.comment", b"twitter:ada", None)
    assert value.startswith(b'{"id":"1","kind":"comment"')
    assert partition == partition_of("twitter:ada", 4)
    assert second[1] == b"as it came"
    assert publisher.published == {("twitter", "comment"): 1, ("twitter", "retweet"): 1}


def test_posts_and_accounts_are_keyed_by_whose_they_are(publisher: Publisher) -> None:
    post = Post(id="p", at=NOON, network="twitter", author="twitter:robin", media=("photo",))
    facts = AccountFacts(account="twitter:robin", at=NOON, handle="robin_y")
    publisher.publish_post(post)
    publisher.publish_account(facts)
    right = partition_of("twitter:robin", 4)
    assert Client.made.sent == [
        ("posts", msgspec.json.encode(post), b"twitter:robin", None, right),
        ("accounts", msgspec.json.encode(facts), b"twitter:robin", None, right),
    ]
    assert not publisher.published, "interactions alone are counted there"


@pytest.mark.parametrize("account", ["twitter:ada", "mastodon:zoë@x", "reddit:北", "x:" + "y" * 99])
def test_the_clients_own_partitioner_agrees(account: str) -> None:
    class Cluster:
        def topics(self) -> set[str]:
            return {"t"}

        def partitions_for_topic(self, _topic: str) -> set[int]:
            return set(range(7))

        available_partitions_for_topic = partitions_for_topic

    chosen = DefaultPartitioner().partition("t", None, account.encode(), None, None, Cluster())
    assert chosen == partition_of(account, 7)


def test_raw_bytes_always_take_the_same_way(publisher: Publisher) -> None:
    for _ in range(2):
        publisher.publish_raw(Topic.LIKE, None, b"\x00noise", [("why", b"noise")])
        publisher.publish_raw(Topic.LIKE, b"twitter:ada", b"{")
    first, keyed, again, _ = Client.made.sent
    assert (
        first == again == ("interactions.like", b"\x00noise", None, [("why", b"noise")], first[4])
    )
    assert keyed[4] == partition_of("twitter:ada", 4)


def test_a_heartbeat_reaches_every_partition(publisher: Publisher) -> None:
    publisher.heartbeat(NOON)
    assert {(record[0], record[4]) for record in Client.made.sent} == {
        (topic.value, partition) for topic in INTERACTION_TOPICS for partition in range(4)
    }
    value = msgspec.json.decode(Client.made.sent[0][1], type=Heartbeat)
    assert value == Heartbeat(clock=NOON, agent="test")
    assert not publisher.published


def test_what_waits_is_bounded() -> None:
    publisher = Publisher({}, 4, waiting_bytes=10_000)
    for _ in range(100):
        publisher.publish(interaction(), b"x" * 300)
        waiting = sum(not delivery.is_done for delivery in Client.made.deliveries)
        assert waiting * 1000 <= 10_000
    assert waiting > 3


def test_a_record_larger_than_the_bound_still_goes() -> None:
    publisher = Publisher({}, 4, waiting_bytes=10_000)
    for _ in range(3):
        publisher.publish_raw(Topic.LIKE, None, b"x" * 50_000)
    assert len(Client.made.sent) == 3


def test_acknowledgement_is_told_in_order_and_only_when_complete(publisher: Publisher) -> None:
    told: list[str] = []
    publisher.publish(interaction(actor="twitter:ada"))
    publisher.after_acknowledged(lambda: told.append("first"))
    publisher.publish(interaction(actor="twitter:robin", target="twitter:ada"))
    publisher.after_acknowledged(lambda: told.append("second"))
    first, second = Client.made.deliveries
    publisher.poll()
    second.success(None)
    publisher.poll()
    assert told == []
    first.success(None)
    publisher.poll()
    assert told == ["first", "second"]


def test_publishing_itself_notices_acknowledgements(publisher: Publisher) -> None:
    told: list[bool] = []
    publisher.publish(interaction())
    publisher.after_acknowledged(lambda: told.append(True))
    Client.made.deliveries[0].success(None)
    for _ in range(300):
        publisher.publish(interaction())
    assert told


def test_nothing_published_is_acknowledged_at_once(publisher: Publisher) -> None:
    told: list[bool] = []
    publisher.after_acknowledged(lambda: told.append(True))
    publisher.flush()
    assert told


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (KafkaTimeoutError("Expiring 3 record(s)"), Unreachable, r"k1:9092, k2:9092 took nothing"),
        (KafkaConnectionError(), Unreachable, r"\(KafkaConnectionError\)|took nothing"),
        (
            TopicAuthorizationFailedError(),
            DeliveryFailed,
            r"refused a record for interactions.retweet \(.*TopicAuthorizationFailed",
        ),
        (MessageSizeTooLargeError("too big"), DeliveryFailed, "too big"),
    ],
)
def test_a_failed_delivery_is_told_by_every_later_call(
    publisher: Publisher, error: KafkaError, kind: type[RenownError], text: str
) -> None:
    told: list[bool] = []
    publisher.publish(interaction())
    publisher.publish(interaction())
    publisher.after_acknowledged(lambda: told.append(True))
    Client.made.deliveries[0].failure(error)
    with pytest.raises(kind, match=text) as first:
        publisher.flush()
    assert "\n" not in str(first.value)
    for call in (
        publisher.flush,
        publisher.poll,
        lambda: publisher.publish(interaction()),
        lambda: publisher.heartbeat(NOON),
    ):
        with pytest.raises(kind):
            call()
    assert not told
    publisher.close()
    assert Client.made.closed


def test_a_refusal_on_the_spot_is_told(publisher: Publisher) -> None:
    Client.made.raises = MessageSizeTooLargeError("9 bytes")
    with pytest.raises(DeliveryFailed, match="9 bytes"):
        publisher.publish(interaction())
    Client.made.raises = None
    with pytest.raises(DeliveryFailed, match="9 bytes"):
        publisher.publish(interaction())


def test_a_silent_broker_is_unreachable(publisher: Publisher) -> None:
    publisher.publish(interaction())
    Client.made.answers = False
    with pytest.raises(Unreachable, match=r"took nothing for 30 s \(no acknowledgement\)"):
        publisher.flush()


def test_the_context_flushes_only_a_clean_end() -> None:
    with Publisher({}, 4) as publisher:
        publisher.publish(interaction())
    assert Client.made.deliveries[0].is_done
    assert Client.made.closed
    publisher = Publisher({}, 4)
    publisher.publish(interaction())
    publisher.__exit__(ZeroDivisionError, None, None)
    assert not Client.made.deliveries[0].is_done
    assert Client.made.closed


def test_a_client_that_cannot_be_flushed_is_ended_all_the_same(publisher: Publisher) -> None:
    class Sender:
        ended = joined = False

        def force_close(self) -> None:
            self.ended = True

        def join(self, _timeout: float) -> None:
            self.joined = self.ended

    def fail(timeout: float) -> None:
        raise KafkaTimeoutError

    client, sender = Client.made, Sender()
    client.close, client._sender = fail, sender  # type: ignore[method-assign, attr-defined]
    publisher.close(flush=False)
    assert sender.joined


def test_another_number_of_partitions_is_wrong_use() -> None:
    with pytest.raises(WrongUse, match=r"interactions.like has 4 partitions, not 3: set RENOWN"):
        Publisher({}, 3)
    assert Client.made.closed
