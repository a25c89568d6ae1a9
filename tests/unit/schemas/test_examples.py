"""The golden examples: what must decode does, and says the same again; the rest is refused."""

import json

import msgspec
import pytest

from schemas.generate import MESSAGES
from schemas.interaction import Heartbeat, Interaction
from schemas.partitioner import partition_of
from schemas.topics import Topic
from streams.core.decode import Bad, Decoder
from tests.support import examples

PARTITIONS = 4

VALID = [
    pytest.param(folder, text, id=f"{folder}/{name}")
    for folder in MESSAGES
    for name, text in examples.valid(folder).items()
]
REFUSED = [
    pytest.param(folder, example, id=f"{folder}/{example.name}")
    for folder in MESSAGES
    for example in examples.refused(folder)
]


def _decode(folder: str, text: bytes) -> msgspec.Struct:
    """The first of the folder's messages that ``text`` is; raises what the last one raises."""
    *others, last = MESSAGES[folder]
    for message in others:
        try:
            return msgspec.json.decode(text, type=message)
        except msgspec.ValidationError:
            continue
    return msgspec.json.decode(text, type=last)


def _decoder(topic: str, text: bytes) -> Decoder:
    """A decoder of the partition that the record belongs to, as far as that can be told."""
    try:
        actor = json.loads(text)["actor"]
    except (ValueError, KeyError, TypeError):
        actor = ""
    return Decoder(Topic(topic), partition_of(actor, PARTITIONS), PARTITIONS)


@pytest.mark.parametrize("folder", MESSAGES)
def test_every_topic_has_good_and_bad_examples(folder: str) -> None:
    assert examples.valid(folder)
    assert examples.refused(folder)


@pytest.mark.parametrize(("folder", "text"), VALID)
def test_valid_example_survives_a_round_trip(folder: str, text: bytes) -> None:
    message = _decode(folder, text)
    again = msgspec.json.encode(message)
    assert json.loads(again) == json.loads(text)
    assert _decode(folder, again) == message


@pytest.mark.parametrize("text", examples.valid("interactions").values())
def test_weigh_accepts_valid_interactions(text: bytes) -> None:
    message = _decode("interactions", text)
    if isinstance(message, Interaction):
        decoder = _decoder(f"interactions.{message.kind.value}", text)
        assert decoder.decode(text, message.received_at) == message
    else:
        assert isinstance(message, Heartbeat)
        assert _decoder("interactions.like", text).decode(text, message.clock) == message


@pytest.mark.parametrize(("folder", "example"), REFUSED)
def test_invalid_example_is_refused_with_its_reason(folder: str, example: examples.Refused) -> None:
    if folder == "interactions":
        decoder = _decoder(example.topic, example.record)
        found = decoder.decode(example.record, example.published_at)
        assert isinstance(found, Bad)
        assert found.reason.value == example.reason
    else:
        with pytest.raises(msgspec.ValidationError) as refusal:
            msgspec.json.decode(example.record, type=MESSAGES[folder][0])
        assert example.reason in str(refusal.value)
