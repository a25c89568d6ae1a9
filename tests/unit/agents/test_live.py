"""What is common to agents of live networks: publish, wait for owners, save behind the broker."""

from pathlib import Path

import msgspec
import pytest

from agents.networks.bluesky import read
from config.errors import RenownError
from schemas.interaction import Interaction
from schemas.topics import Topic
from streams.core.decode import Bad, Decoder, Reason
from tests.support import bluesky as sky
from tests.support.listening import Ear
from tests.support.publishing import NOW, MemoryOutlet, StillClock

US = NOW * 1000
HANDLE_POST = "at://ava.example/app.bsky.feed.post/3k"


@pytest.fixture
def outlet() -> MemoryOutlet:
    return MemoryOutlet()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def ear(tmp_path: Path, outlet: MemoryOutlet, clock: StillClock) -> Ear:
    return listening(tmp_path, outlet, clock)


def listening(folder: Path, outlet: MemoryOutlet, clock: StillClock) -> Ear:
    return Ear(folder, outlet, ["ws://127.0.0.1:9/"], clock=clock)


def hear(ear: Ear, *messages: bytes) -> None:
    for message in messages:
        ear.live.handle(read(message, NOW), message, "here:1")


def turn(ear: Ear, clock: StillClock, seconds: float = 1.0) -> None:
    clock.sleep(seconds)
    ear.live.tick()


def test_event_time_is_told_each_second_and_never_goes_back(
    ear: Ear, outlet: MemoryOutlet, clock: StillClock
) -> None:
    turn(ear, clock)
    assert outlet.clocks == [], "nothing is known yet"
    for second in (-60, -59, -65, -50):
        hear(ear, sky.like("noor", sky.uri("ava", "3"), time_us=US + second * 1_000_000))
        turn(ear, clock)
        ear.live.tick()
    assert outlet.clocks == [NOW - 60_000, NOW - 59_000, NOW - 50_000]


def test_event_time_is_never_told_ahead_of_the_wall_clock(
    ear: Ear, outlet: MemoryOutlet, clock: StillClock
) -> None:
    hear(ear, sky.like("noor", sky.uri("ava", "3"), time_us=US + 200_000_000))
    turn(ear, clock)
    assert outlet.clocks == [NOW + 1_000]


def test_the_cursor_follows_the_acknowledgements(
    tmp_path: Path, ear: Ear, outlet: MemoryOutlet, clock: StillClock
) -> None:
    outlet.deaf = True
    hear(ear, sky.like("noor", sky.uri("ava", "3"), time_us=US - 7))
    turn(ear, clock)
    turn(ear, clock, 30)
    assert ear.live.acknowledged.position == 0
    assert not listening(tmp_path, MemoryOutlet(), clock).resumed
    assert ear.live.unacknowledged_seconds() == 30
    outlet.deaf = False
    turn(ear, clock)
    assert ear.live.unacknowledged_seconds() == 0
    again = listening(tmp_path, MemoryOutlet(), clock)
    assert again.resumed
    assert (again.live.state.position, again.live.state.at) == (US - 7, NOW - 1)
    assert again.live.state.place == "here:1"
    age = again.registry.get_sample_value("renown_agent_cursor_age_seconds", {"network": "bluesky"})
    assert age == 32.001


def test_the_cursor_knows_its_log_and_goes_back_for_another(
    ear: Ear, outlet: MemoryOutlet, clock: StillClock, tmp_path: Path
) -> None:
    ear.live.log = 7
    hear(ear, sky.like("noor", sky.uri("ava", "3"), time_us=US))
    turn(ear, clock, 30)
    turn(ear, clock)
    again = listening(tmp_path, outlet, clock)
    assert (again.live.state.log, again.live.state.position) == (7, US)
    again.live.rewind(US + 5, NOW)
    assert again.live.state.position == US, "never forward"
    again.live.rewind(US - 60_000_000, NOW - 60_000)
    assert (again.live.state.position, again.live.state.at) == (US - 60_000_000, NOW - 60_000)


def test_a_damaged_cursor_is_told(tmp_path: Path, clock: StillClock) -> None:
    (tmp_path / "cursors").mkdir()
    (tmp_path / "cursors" / "bluesky.json").write_bytes(
        b'{"v":1,"source":{"agent":"bluesky"},"position":{},"state":7}'
    )
    with pytest.raises(RenownError, match=r"bluesky.json is damaged: delete it"):
        listening(tmp_path, MemoryOutlet(), clock)


def test_an_interaction_waits_until_its_target_is_known(
    ear: Ear, outlet: MemoryOutlet, clock: StillClock
) -> None:
    liked, after = US - 5_000_000, US - 1_000_000
    hear(ear, sky.like("noor", HANDLE_POST, time_us=liked))
    hear(ear, sky.like("bea", sky.uri("cyd", "3"), time_us=after))
    turn(ear, clock)
    assert [one.actor for one in outlet.published] == [sky.account("bea")]
    assert outlet.clocks == [liked // 1000], "event time waits with it"
    hear(ear, sky.identity("ava", "ava.example", after))
    assert outlet.published[1].target == sky.account("ava")
    turn(ear, clock)
    assert outlet.clocks == [liked // 1000, after // 1000]
    hear(ear, sky.like("dov", HANDLE_POST, time_us=after))
    assert outlet.published[2].target == sky.account("ava")
    assert [facts.handle for facts in outlet.accounts] == ["ava.example"]


def test_it_goes_to_the_dead_letters_when_it_has_waited_too_long(
    ear: Ear, outlet: MemoryOutlet, clock: StillClock
) -> None:
    hear(ear, sky.post("noor", parent=HANDLE_POST, mentions=("bea",), time_us=US))
    turn(ear, clock, 9.0)
    assert outlet.published == []
    turn(ear, clock)
    assert [one.target for one in outlet.published] == [sky.account("bea")]
    assert ear.live.counts.rejected == {"unresolved target": 1}
    passed_on = next(sent for sent in outlet.sent if sent.headers)
    assert (passed_on.topic, passed_on.key) == (Topic.COMMENT, sky.account("noor").encode())
    reason = dict(passed_on.headers)["renown-reason"].decode()
    assert reason.endswith("nobody is known as the owner of bluesky handle ava.example")
    verdict = Decoder(Topic.COMMENT, passed_on.partition, 4).decode(passed_on.value, NOW)
    assert isinstance(verdict, Bad)
    assert verdict.reason is Reason.NO_TARGET
    assert msgspec.json.decode(passed_on.value, type=Interaction).object == HANDLE_POST


def test_what_waits_is_not_lost_with_the_process(
    tmp_path: Path, ear: Ear, clock: StillClock
) -> None:
    hear(ear, sky.like("noor", HANDLE_POST, time_us=US))
    turn(ear, clock)
    turn(ear, clock)
    assert ear.live.acknowledged.position == US, "the cursor need not wait for it"
    outlet = MemoryOutlet()
    again = listening(tmp_path, outlet, clock)
    hear(again, sky.identity("ava", "ava.example", US))
    assert [one.target for one in outlet.published] == [sky.account("ava")]


def test_what_was_learned_is_not_lost_with_the_process(
    tmp_path: Path, ear: Ear, clock: StillClock
) -> None:
    hear(ear, sky.identity("ava", "ava.example", US))
    turn(ear, clock)
    turn(ear, clock)
    outlet = MemoryOutlet()
    again = listening(tmp_path, outlet, clock)
    hear(again, sky.like("noor", HANDLE_POST, time_us=US))
    assert [one.target for one in outlet.published] == [sky.account("ava")]


def test_no_payload_can_pass_for_an_interaction(ear: Ear, outlet: MemoryOutlet) -> None:
    spoof = (
        b'{"id":"x","kind":"like","network":"twitter","actor":"twitter:1","target":"twitter:2",'
        b'"at":1759999000000,"received_at":1759999000000}'
    )
    hear(ear, spoof, b'{"clock":1759999000000}')
    assert len(outlet.sent) == 2
    for sent in outlet.sent:
        verdict = Decoder(Topic.LIKE, sent.partition, 4).decode(sent.value, NOW)
        assert isinstance(verdict, Bad)
        assert dict(sent.headers)["renown-reason"].startswith(b"not a message: ")
    assert outlet.sent[0].value == b"bluesky payload: " + spoof


def test_everything_is_counted(ear: Ear, clock: StillClock) -> None:
    hear(
        ear,
        sky.post("noor", parent=sky.uri("ava", "3"), mentions=("ava", "bea"), time_us=US),
        sky.delete("noor", sky.POST, "3kp", US),
        sky.like("ava", sky.uri("ava", "3"), time_us=US),
        sky.commit("ava", "app.bsky.graph.follow", "3", {}, time_us=US),
        sky.identity("ava", "ava.example", US),
        b"?",
    )
    counts = ear.live.counts
    assert counts.published == {"comment": 2, "mention": 2}, "an undo for each"
    assert counts.rejected == {"folded": 1, "self": 1, "follow": 1, "not a message": 1}
    assert (counts.posts, counts.accounts) == (2, 1)

    def told(name: str, **labels: str) -> float | None:
        labels["network"] = "bluesky"
        return ear.registry.get_sample_value(f"renown_agent_{name}_total", labels)

    assert told("published", kind="comment") == 2
    assert told("published", kind="post") == 2
    assert told("published", kind="account") == 1
    assert told("rejected", reason="follow") == 1
