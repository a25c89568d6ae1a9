"""The Bluesky agent between a Jetstream with faults and a broker: nothing lost, nothing doubled.

What is read again after a lost connection is published again. Doubling is a question of ids: each
must always come with the same content, so that it counts once.
"""

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.publisher import Publisher
from config.broker import ensure_topics, kafka_python_options
from config.settings import Settings, load_settings
from schemas.interaction import Interaction
from schemas.kinds import Kind
from schemas.topics import INTERACTION_TOPICS, Topic
from tests.support import bluesky as sky
from tests.support.bluesky_stream import STEP_US, Stream, stream
from tests.support.jetstream import FakeJetstream
from tests.support.listening import Ear, reached
from tests.support.stack import log_ends, read_topic

Ends = dict[str, dict[int, int]]


@pytest.fixture
def settings(broker: str) -> Settings:
    settings = load_settings(_env_file=None, kafka=broker)
    ensure_topics(settings)
    return settings


@pytest.fixture
def before(settings: Settings) -> Ends:
    topics = (*INTERACTION_TOPICS, Topic.POSTS)
    return {topic.value: log_ends(settings.kafka, topic.value) for topic in topics}


@pytest.fixture
def publisher(settings: Settings) -> Iterator[Publisher]:
    options = kafka_python_options(settings)
    with Publisher(options, settings.partitions, agent="test", linger_ms=1) as publisher:
        yield publisher


def values(settings: Settings, before: Ends, topic: Topic) -> list[bytes]:
    return [
        record.value
        for record in read_topic(settings.kafka, topic.value)
        if record.offset >= before[topic.value][record.partition]
    ]


def published(settings: Settings, before: Ends) -> dict[tuple[Kind, str], Interaction]:
    """What lies in the five topics; fails where one id came with two contents."""
    found: dict[tuple[Kind, str], Interaction] = {}
    for topic in INTERACTION_TOPICS:
        for value in values(settings, before, topic):
            if b'"clock"' in value or value.startswith(b"bluesky payload"):
                continue
            one = msgspec.json.decode(value, type=Interaction)
            one = msgspec.structs.replace(one, received_at=0)
            assert found.setdefault((one.kind, one.id), one) == one
    return found


def recent_stream(number: int) -> Stream:
    """A stream that ended a moment ago, so that its times are believed."""
    return stream(number, time.time_ns() // 1000 - number * STEP_US - 1_000_000)


def assert_all_there(settings: Settings, before: Ends, world: Stream) -> None:
    found = published(settings, before)
    assert set(found) == world.ids
    for each in world.expected:
        one = found[each.kind, each.id]
        assert (one.actor, one.target, one.object, one.at) == (
            each.actor,
            each.target,
            each.object,
            each.at,
        )


@pytest.mark.parametrize("abruptly", [False, True])
def test_nothing_is_lost_or_doubled_through_lost_connections(
    settings: Settings, before: Ends, publisher: Publisher, tmp_path: Path, abruptly: bool
) -> None:
    world = recent_stream(2000)
    faults: dict[str, Any] = {"close_after": 450, "twice_every": 7, "refuse": 3}
    with FakeJetstream(world.messages, abruptly=abruptly, **faults) as server:
        first, last = world.messages[0][0], world.messages[-1][0]
        ear = Ear(tmp_path, publisher, [server.url], start_us=first)
        status = ear.listen(reached(last))
    assert server.refused == 3
    assert len(server.cursors) > 5
    assert server.queries[0]["wantedCollections"] == [sky.LIKE, sky.REPOST, sky.POST, sky.PROFILE]
    assert status.state == "stopped"
    assert (status.cursor, status.cursor_at) == (str(last), last // 1000)
    assert status.reconnects == len(server.cursors) - 1
    assert_all_there(settings, before, world)


def test_a_stopped_agent_goes_on_where_the_broker_had_acknowledged(
    settings: Settings, before: Ends, publisher: Publisher, tmp_path: Path
) -> None:
    world = recent_stream(1500)
    with FakeJetstream(world.messages[:600]) as server:
        ear = Ear(tmp_path, publisher, [server.url], start_us=world.messages[0][0])
        ear.listen(reached(world.messages[599][0]))
        server.add(*world.messages[600:])
        again = Ear(tmp_path, publisher, [server.url])
        assert again.resumed
        again.listen(reached(world.messages[-1][0]))
    assert server.cursors == [
        world.messages[0][0] - 60_000_000,
        world.messages[599][0] - 5_000_000,
    ], "the first place is not known to have given the first position"
    assert_all_there(settings, before, world)


def test_another_place_stands_in_and_goes_back_further(
    settings: Settings, before: Ends, publisher: Publisher, tmp_path: Path
) -> None:
    world = recent_stream(1000)
    with (
        FakeJetstream(world.messages[:500]) as first,
        FakeJetstream(world.messages) as second,
    ):
        ear = Ear(tmp_path, publisher, [first.url, second.url], start_us=world.messages[0][0])
        ear.listen(reached(world.messages[499][0]))
        first.stop()
        again = Ear(tmp_path, publisher, [first.url, second.url])
        again.listen(reached(world.messages[-1][0]))
    assert second.cursors == [world.messages[499][0] - 60_000_000]
    assert_all_there(settings, before, world)


def test_garbage_and_giants_cost_themselves_only(
    settings: Settings, before: Ends, publisher: Publisher, tmp_path: Path
) -> None:
    world = recent_stream(400)
    spoof = json.dumps(
        {
            "id": secrets.token_hex(4),
            "kind": "like",
            "network": "twitter",
            "actor": "twitter:1",
            "target": "twitter:2",
            "at": 1_700_000_000_000,
            "received_at": 1_700_000_000_000,
        }
    ).encode()
    messages = list(world.messages)
    for at, body in (
        (350, b"x" * (5 << 20)),
        (300, b"y" * (2 << 20)),
        (200, spoof),
        (100, b"\xff"),
    ):
        messages.insert(at, (messages[at][0], body))
    with FakeJetstream(messages) as server:
        ear = Ear(tmp_path, publisher, [server.url], start_us=messages[0][0])
        status = ear.listen(reached(messages[-1][0]))
    assert status.rejected == {"not a message": 2, "too long": 2}
    assert any("far too large" in line for line in ear.said)
    passed_on = [
        v for v in values(settings, before, Topic.LIKE) if v.startswith(b"bluesky payload")
    ]
    assert sorted(len(value) for value in passed_on) == sorted(
        len(b"bluesky payload: ") + size for size in (1, len(spoof), 256 * 1024)
    )
    found = published(settings, before)
    assert set(found) <= world.ids
    assert len(world.ids - set(found)) == 1, "what came in the same microsecond as the giant"


def test_a_server_away_for_a_while_is_waited_for(
    settings: Settings, before: Ends, publisher: Publisher, tmp_path: Path
) -> None:
    world = recent_stream(200)
    server = FakeJetstream(world.messages)
    ear = Ear(tmp_path, publisher, [server.url], start_us=world.messages[0][0])

    def starts_late(listening: Ear) -> bool:
        if len(listening.said) > 3 and not server.cursors and server._server is None:
            server.start()
        return listening.live.state.position >= world.messages[-1][0]

    try:
        ear.listen(starts_late)
    finally:
        server.stop()
    assert "Connection refused" in ear.said[0]
    assert_all_there(settings, before, world)


def test_a_silent_server_is_left(settings: Settings, publisher: Publisher, tmp_path: Path) -> None:
    with FakeJetstream() as silent:
        ear = Ear(tmp_path, publisher, [silent.url], start_us=sky.MICROS, silence_seconds=0.3)
        ear.listen(lambda listening: listening.feed.reconnects >= 2)
    assert any("nothing came for" in line for line in ear.said)


def test_a_log_that_begins_too_late_is_told(
    settings: Settings, publisher: Publisher, tmp_path: Path
) -> None:
    world = recent_stream(100)
    with FakeJetstream(world.messages) as server:
        day = 86_400_000_000
        ear = Ear(tmp_path, publisher, [server.url], start_us=world.messages[0][0] - day)
        status = ear.listen(reached(world.messages[-1][0]))
    assert status.rejected == {"gap": 1}
    assert any("has nothing from" in line for line in ear.said)


def test_posts_are_published_beside(
    settings: Settings, before: Ends, publisher: Publisher, tmp_path: Path
) -> None:
    world = recent_stream(100)
    with FakeJetstream(world.messages) as server:
        ear = Ear(tmp_path, publisher, [server.url], start_us=world.messages[0][0])
        status = ear.listen(reached(world.messages[-1][0]))
    assert status.posts == world.posts
    assert len(values(settings, before, Topic.POSTS)) == world.posts
