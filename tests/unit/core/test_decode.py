"""Each way in which a record can be unusable has its own reason; everything else is a message."""

from typing import Any

import msgspec
import pytest

from schemas.interaction import EARLIEST_AT, Heartbeat, Interaction
from schemas.topics import Topic
from streams.core.decode import LARGEST_VALUE, LONGEST_DETAIL, Bad, Decoder, Reason
from tests.support.interactions import MINUTE, NOON, account_in, encode, interaction


def decoded(
    message: Interaction | Heartbeat | bytes | None, timestamp: int = NOON
) -> Interaction | Heartbeat | Bad:
    value = encode(message) if isinstance(message, Interaction | Heartbeat) else message
    return Decoder(Topic.RETWEET, 0, 1).decode(value, timestamp)


def reason(message: Interaction | Heartbeat | bytes | None, timestamp: int = NOON) -> Reason | None:
    result = decoded(message, timestamp)
    return result.reason if isinstance(result, Bad) else None


def as_json(**changes: Any) -> bytes:
    fields = msgspec.to_builtins(interaction()) | changes
    return msgspec.json.encode(fields)


def test_an_interaction_comes_back_as_it_was_sent() -> None:
    message = interaction(object="twitter:status:7", record="7", amount=3)
    assert decoded(message) == message


def test_unknown_fields_are_for_newer_readers() -> None:
    assert decoded(as_json(mood="good")) == interaction()


def test_a_heartbeat_comes_back_as_it_was_sent() -> None:
    beat = Heartbeat(clock=NOON, agent="replay")
    assert decoded(beat) == beat


def test_a_heartbeat_may_lie_in_any_partition() -> None:
    for partition in range(4):
        beat = Heartbeat(clock=NOON)
        assert Decoder(Topic.LIKE, partition, 4).decode(encode(beat), NOON) == beat


@pytest.mark.parametrize("value", [None, b""])
def test_a_tombstone_is_empty(value: bytes | None) -> None:
    assert reason(value) is Reason.EMPTY


def test_a_body_of_two_megabytes_is_too_large() -> None:
    assert reason(b"x" * 2_000_000) is Reason.TOO_LARGE


def test_the_largest_body_is_read() -> None:
    text = encode(interaction())
    assert reason(text + b" " * (LARGEST_VALUE - len(text))) is None
    assert reason(text + b" " * (LARGEST_VALUE - len(text) + 1)) is Reason.TOO_LARGE


@pytest.mark.parametrize(
    "value",
    [
        b"{",
        b"hello",
        b"\x00\xff\xfe binary noise",
        b'{"id":"\xff"}',
        b'{"x":' + b"[" * 200_000,
        b'{"id":"line\nend"}',
        as_json(clock=1)[:-1],
    ],
)
def test_what_is_no_json(value: bytes) -> None:
    assert reason(value) is Reason.BAD_JSON


@pytest.mark.parametrize(
    "value",
    [
        b"null",
        b"[1, 2]",
        b"{}",
        as_json(v=2),
        as_json(id=7),
        as_json(id=""),
        as_json(at="yesterday"),
        as_json(at=-1),
        as_json(at=10**400),
        as_json(amount=0),
        as_json(amount=1_000_001),
        as_json(undo="yes"),
        as_json(kind=3),
        as_json(kind=None),
        as_json(network="myspace"),
        as_json(actor="ada"),
        as_json(actor="myspace:ada"),
        as_json(target="twitter:"),
        b'{"clock":-1}',
        b'{"clock":"noon"}',
    ],
)
def test_what_breaks_the_schema(value: bytes) -> None:
    assert reason(value) is Reason.WRONG_TYPE


def test_the_detail_says_where() -> None:
    result = decoded(as_json(actor="myspace:ada"))
    assert result == Bad(Reason.WRONG_TYPE, "Expected a known network - at `$.actor`")


def test_unknown_kind() -> None:
    assert decoded(as_json(kind="poke")) == Bad(Reason.UNKNOWN_KIND, "'poke'")


def test_details_are_short() -> None:
    result = decoded(as_json(kind="poke" * 10_000))
    assert isinstance(result, Bad)
    assert len(result.detail) == LONGEST_DETAIL


def test_a_kind_belongs_to_its_topic() -> None:
    assert reason(as_json(kind="like")) is Reason.WRONG_TOPIC


def test_topics_without_interactions_have_no_decoder() -> None:
    with pytest.raises(ValueError, match="posts carries no interactions"):
        Decoder(Topic.POSTS, 0, 1)


def test_only_an_undo_may_be_without_a_target() -> None:
    assert reason(interaction(target=None)) is Reason.NO_TARGET
    assert reason(interaction(target=None, undo=True, record="7")) is None
    assert reason(interaction(target=None, undo=True)) is None


def test_times_before_the_networks() -> None:
    assert reason(interaction(at=EARLIEST_AT - 1)) is Reason.ABSURD_TIME
    assert reason(interaction(at=EARLIEST_AT)) is None


@pytest.mark.parametrize(
    ("ahead", "expected"), [(5 * MINUTE, None), (5 * MINUTE + 1, Reason.ABSURD_TIME)]
)
def test_times_ahead_of_receipt_and_of_publishing(ahead: int, expected: Reason | None) -> None:
    assert reason(interaction(at=NOON + ahead, received_at=NOON), NOON + ahead) is expected
    assert reason(interaction(at=NOON + ahead, received_at=NOON + ahead), NOON) is expected
    assert reason(Heartbeat(clock=NOON + ahead), NOON) is expected


def test_milliseconds_read_as_seconds() -> None:
    assert reason(as_json(at=NOON * 1000)) is Reason.WRONG_TYPE  # after the year 9999
    assert reason(as_json(at=NOON * 100)) is Reason.ABSURD_TIME


def test_an_actor_belongs_to_its_partition() -> None:
    message = interaction(actor=account_in(2, 4))
    assert Decoder(Topic.RETWEET, 2, 4).decode(encode(message), NOON) == message
    result = Decoder(Topic.RETWEET, 1, 4).decode(encode(message), NOON)
    assert result == Bad(Reason.WRONG_PARTITION, f"{message.actor} belongs to partition 2 of 4")


@pytest.mark.parametrize("name", ["id", "actor", "target", "object", "record"])
@pytest.mark.parametrize("character", ["\x00", "\n", "\x1b", "\x7f", "\x85"])
def test_control_characters_in_any_text(name: str, character: str) -> None:
    assert reason(as_json(**{name: f"twitter:a{character}b"})) is Reason.BAD_TEXT


@pytest.mark.parametrize("half", [b"\\ud800", b"\\udc00", b"\\ud800\\ud800"])
def test_half_a_character(half: bytes) -> None:
    value = encode(interaction(id="HALF")).replace(b"HALF", half)
    assert reason(value) is Reason.BAD_TEXT


@pytest.mark.parametrize("text", ["tschüß", "名前", "a\\b", 'say "hi"', "🦋", "two words"])
def test_other_characters_are_welcome(text: str) -> None:
    message = interaction(id=text, actor=f"twitter:{text}", target=f"bluesky:{text}")
    assert decoded(message) == message
