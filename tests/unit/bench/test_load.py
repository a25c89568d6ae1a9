"""The load: the same for the same seed, usable by Renown, and what its options say."""

from collections import Counter
from dataclasses import replace

from bench.common import PARTITIONS
from bench.load import BEGIN, Event, Load, events_of
from schemas.interaction import Interaction
from schemas.topics import INTERACTION_TOPICS
from streams.core.decode import Decoder

LOAD = Load(events=3_000, accounts=200)


def events(load: Load) -> list[Event]:
    return list(events_of(load))


def test_equal_loads_are_equal() -> None:
    assert events(LOAD) == events(LOAD)
    assert events(replace(LOAD, seed=2)) != events(LOAD)
    assert LOAD.name == Load(events=3_000, accounts=200).name != replace(LOAD, seed=2).name


def test_renown_takes_every_event() -> None:
    decoders = {
        (kind, partition): Decoder(topic, partition, PARTITIONS)
        for kind, topic in enumerate(INTERACTION_TOPICS)
        for partition in range(PARTITIONS)
    }
    now = BEGIN + 100 * 86_400_000
    for event in events(LOAD):
        message = decoders[event.kind, event.partition].decode(event.value, now)
        assert isinstance(message, Interaction)
        assert message.actor.encode() == event.key
        assert (message.target or "").encode() == event.target
        assert message.actor != message.target


def test_number_repetitions_hot_target_and_days() -> None:
    found = events(replace(LOAD, hot=0.6, duplicates=0.05))
    assert len(found) == LOAD.events
    repeated = LOAD.events - len({event.value for event in found})
    assert 0.02 < repeated / LOAD.events < 0.08
    [(_, most)] = Counter(event.target for event in found).most_common(1)
    assert 0.5 < most / LOAD.events < 0.75
    times = [int(event.value.split(b'"at":')[1].split(b",")[0]) for event in found]
    assert min(times) >= BEGIN
    assert 2.7 < (max(times) - BEGIN) / 86_400_000 < 3.01


def test_without_skew_every_account_is_met_as_often() -> None:
    found = Counter(event.target for event in events(replace(LOAD, skew=0.0, hot=0.0)))
    assert len(found) == LOAD.accounts
    assert max(found.values()) < 40
