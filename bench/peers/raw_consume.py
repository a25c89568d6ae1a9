"""The line of the limit: confluent-kafka hands over every record, and nothing is done with it.

https://docs.confluent.io/platform/current/clients/confluent-kafka-python/html/index.html: `consume`
gives many records at once, which costs least per record.
"""

from confluent_kafka import Consumer
from progress import GROUP, KAFKA, TOPICS, Progress


def main() -> None:
    """Consume until told to stop."""
    progress = Progress()
    consumer = Consumer(
        {
            "bootstrap.servers": KAFKA,
            "group.id": GROUP,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "check.crcs": False,
            "fetch.message.max.bytes": 4 << 20,
            "queued.min.messages": 1_000_000,
            "queued.max.messages.kbytes": 512 << 10,
        }
    )
    consumer.subscribe(TOPICS)
    while True:
        progress.events += len(consumer.consume(10_000, 1.0))


if __name__ == "__main__":
    main()
