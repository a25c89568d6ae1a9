"""Quix Streams: counts per target in windows of an hour.

Best configuration by its documentation: several processes of one group, as many threads as it has
none (https://quix.io/docs/quix-streams/processing.html), windows that emit when they close
(`final`, https://quix.io/docs/quix-streams/windowing.html), long commit interval
(https://quix.io/docs/quix-streams/configuration.html). Re-keyed by a topic of our
own (`to_topic`): `group_by` over five topics needs `concat`, which waits for their times to meet
and was six times slower. Only the target travels on.
"""

import msgspec
from progress import (
    GRACE_SECONDS,
    GROUP,
    HOP_SECONDS,
    HOPPING,
    HOUR_SECONDS,
    KAFKA,
    STATE,
    TOPICS,
    Progress,
)
from quixstreams import Application
from quixstreams.models import TopicConfig


class Event(msgspec.Struct):
    """What counting needs; ``at`` in ms."""

    target: str
    at: int


_decode = msgspec.json.Decoder(Event).decode


def _value(value: bytes) -> Event:
    return _decode(value)  # Quix asks for a function's signature, which msgspec's has not


def main() -> None:
    """Count until told to stop."""
    progress = Progress()
    app = Application(
        broker_address=KAFKA,
        consumer_group=GROUP,
        state_dir=STATE,
        auto_offset_reset="earliest",
        commit_interval=5.0,
        loglevel="WARNING",
        producer_extra_config={"linger.ms": 100, "batch.size": 1 << 20, "compression.type": "lz4"},
        consumer_extra_config={"fetch.message.max.bytes": 4 << 20, "check.crcs": False},
        topic_create_timeout=60,
    )

    def seen(_value: object) -> None:
        progress.events += 1

    config = TopicConfig(num_partitions=4, replication_factor=1)
    by_target = app.topic(
        f"{GROUP}-by-target", key_deserializer="str", value_deserializer="str",
        key_serializer="str", value_serializer="str", config=config,
    )  # fmt: skip
    for name in TOPICS:
        source = app.topic(
            name, key_deserializer="bytes", value_deserializer="bytes", config=config
        )
        (
            app.dataframe(source)
            .apply(_value)
            .set_timestamp(lambda event, _key, _at, _headers: event.at)
            .apply(lambda event: event.target)
            .to_topic(by_target, key=lambda target: target)
        )
    events = app.dataframe(by_target).update(seen)
    grace = GRACE_SECONDS * 1000
    hour, hop = HOUR_SECONDS * 1000, HOP_SECONDS * 1000
    windows = (
        events.hopping_window(hour, hop, grace_ms=grace)
        if HOPPING
        else events.tumbling_window(hour, grace_ms=grace)
    )
    windows.count().final()
    app.run()


if __name__ == "__main__":
    main()
