"""Laws of the Bluesky adapter: total on anything, and what it gives is sound to the letter."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agents.networks.bluesky import read
from agents.networks.found import Found, settle
from schemas.account import AccountFacts
from schemas.interaction import Interaction
from schemas.partitioner import partition_of
from schemas.post import Post
from schemas.topics import Topic
from streams.core.decode import Decoder
from tests.support import bluesky as sky
from tests.support.publishing import NOW

AVA, BEA = sky.uri("ava", "3kaa"), sky.uri("bea", "3kbb")
EMBED = {
    "$type": "app.bsky.embed.recordWithMedia",
    "media": {"$type": "app.bsky.embed.images"},
    "record": {"record": {"uri": BEA}},
}
SOUND = [
    sky.like("noor", AVA),
    sky.repost("noor", "at://ava.example/app.bsky.feed.post/3kaa"),
    sky.post("noor", parent=AVA, quote=BEA, mentions=("ava", "cyd", "noor"), tags=("sea",)),
    sky.post("noor", operation="update", parent=AVA, mentions=("cyd",), embed=EMBED),
    sky.delete("noor", sky.POST, "3kp"),
    sky.identity("ava", "ava.example"),
    sky.commit(
        "ava", sky.PROFILE, "self", {"displayName": "Ava", "avatar": {"ref": {"$link": "b"}}}
    ),
    sky.event("ava", "account", account={"active": False, "status": "deleted"}),
]
"""One of each kind of message."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def mutated_bytes(draw: st.DrawFn) -> bytes:
    """A sound message with some bytes replaced, inserted or left out."""
    body = bytearray(draw(st.sampled_from(SOUND)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(body)


@st.composite
def mutated_json(draw: st.DrawFn) -> bytes:
    """A sound message in which something is another JSON value, is missing, or comes twice."""
    event = json.loads(draw(st.sampled_from(SOUND)))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = event
        while True:
            names = sorted(place) if isinstance(place, dict) else list(range(len(place)))
            if not names:
                break
            name = draw(st.sampled_from(names))
            inner = place[name]
            if isinstance(inner, dict | list) and inner and draw(st.integers(0, 3)):
                place = inner
                continue
            if draw(st.booleans()):
                place[name] = draw(
                    JSON | st.sampled_from(["did:plc:ava", AVA, "at://noor", "noor.x"])
                )
            elif isinstance(place, dict):
                del place[name]
            else:
                place.append(inner)
            break
    return json.dumps(event).encode()


MESSAGES = mutated_json() | mutated_bytes() | st.binary(max_size=60)


def is_sound(message: Interaction | Post | AccountFacts) -> bool:
    return msgspec.json.decode(msgspec.json.encode(message), type=type(message)) == message


def said_by(found: Found) -> list[Interaction]:
    """Every interaction, the undos and those that no owner was found for included."""
    said = list(found.undos)
    if found.draft:
        settled = settle(found.draft, {"bluesky handle ava.example": sky.account("ava")}.get)
        said += settled.interactions + [one for one, _ in settled.missing]
    return said


@given(MESSAGES)
def test_whatever_comes_is_accounted_for_and_sound(message: bytes) -> None:
    found = read(message, NOW)
    said = said_by(found)
    assert said or found.draft or found.post or found.facts or found.dropped or found.trouble
    for one in (*said, found.post, found.facts):
        assert one is None or is_sound(one)
    if found.trouble:
        assert found.trouble.reason
        assert found.trouble.detail
        assert not said
    assert (found.at == 0) == (found.position == 0)
    assert found.at <= NOW + 300_000


@given(MESSAGES)
def test_weigh_takes_what_has_a_target_and_nothing_else(message: bytes) -> None:
    for one in said_by(read(message, NOW)):
        topic = Topic.of_kind(one.kind)
        decoded = Decoder(topic, partition_of(one.actor, 4), 4).decode(
            msgspec.json.encode(one), NOW
        )
        assert isinstance(decoded, Interaction) == (one.undo or one.target is not None)


@given(MESSAGES, st.integers(0, 86_400_000))
def test_ids_depend_on_the_message_alone(message: bytes, later: int) -> None:
    once, again = (said_by(read(message, at)) for at in (NOW, NOW + later))
    if once:
        assert [one.id for one in once] == [one.id for one in again]


@given(MESSAGES)
def test_one_record_says_one_thing_to_each_other_account(message: bytes) -> None:
    draft = read(message, NOW).draft
    if draft is None:
        return
    said = settle(draft, {}.get).interactions  # type: ignore[arg-type]
    targets = [one.target for one in said]
    assert len(set(targets)) == len(targets)
    assert draft.actor not in targets
    assert len({one.id for one in said}) == len(said)
