"""The canary: a synthetic interaction, timed from the publisher to its row in ClickHouse.

It leaves no trace in any score: as soon as it has arrived it is taken back (the last one of a
monitor that was killed is not). And it moves no clock:
it happens at the event time that its own partition has reached, so a stack that replays history is
not pulled into the present. Before the first event of a partition there is no such time, and no
canary is sent.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from msgspec.structs import replace

from agents.publisher import Publisher
from config.broker import kafka_python_options, log_incarnation
from config.settings import ClickHouseAddress, Settings
from schemas.hashing import hash64
from schemas.interaction import Interaction
from schemas.kinds import Kind
from schemas.partitioner import partition_of
from schemas.topics import Topic
from streams.sinks.client import Database

NETWORK: Final = "renown"
PREFIX: Final = f"{NETWORK}:canary-"
"""How the accounts of canaries begin; no people have such accounts."""

LOST: Final = float("inf")

_LOOK_SECONDS: Final = 0.1
_DELIVERY_SECONDS: Final = 20.0


class Canary:
    """Sends canaries to one partition after the other; use it from one thread, as a context.

    ``stopping`` is asked while it waits. What goes wrong (broker or database away) is raised as
    ``RenownError``; close it then and make another.
    """

    def __init__(
        self,
        settings: Settings,
        stopping: Callable[[], bool] = lambda: False,
        *,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._log = log_incarnation(settings)
        self._stopping = stopping
        self._wait = wait
        self._run = secrets.token_hex(4)
        self._numbers = count(1)
        self._partitions = settings.partitions
        self._accounts = list(accounts(settings.partitions))
        self._db = Database(ClickHouseAddress.parse(settings.clickhouse.get_secret_value()))
        self._publisher = Publisher(
            kafka_python_options(settings),
            settings.partitions,
            agent="canary",
            linger_ms=0,
            delivery_seconds=_DELIVERY_SECONDS,
        )

    def close(self) -> None:
        """Close the connections, not waiting for anything."""
        self._publisher.close(flush=False)
        self._db.close()

    def __enter__(self) -> "Canary":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fly(self, patience: float) -> float | None:
        """Send one and wait for its row; the seconds it took.

        ``LOST`` if it did not arrive within ``patience`` seconds (or the end came first); None if
        nothing has happened yet in its partition, so that none was sent.
        """
        number = next(self._numbers)
        partition = number % self._partitions
        at = self._clock(partition)
        if not at:
            return None
        canary = Interaction(
            id=f"canary:{self._run}:{number}",
            kind=Kind.LIKE,
            network=NETWORK,
            actor=self._accounts[partition],
            target=self._accounts[(partition + 1) % self._partitions],
            at=at,
            received_at=int(time.time() * 1000),
        )
        began = time.monotonic()
        self._publisher.publish(canary)
        took = self._arrival(canary, began, patience)
        self._publisher.publish(replace(canary, undo=True))
        self._publisher.flush()
        return took

    def _arrival(self, canary: Interaction, began: float, patience: float) -> float:
        while time.monotonic() - began < patience and not self._stopping():
            self._publisher.poll()
            found = self._db.query(
                "SELECT count() FROM interactions_rows"
                " WHERE target = %(target)s AND hour = %(hour)s AND log = %(log)s AND id = %(id)s",
                {
                    "target": canary.target,
                    "hour": canary.at // 3_600_000,
                    "log": self._log,
                    "id": hash64(canary.id),
                },
            )
            if found[0][0]:
                return time.monotonic() - began
            self._wait(_LOOK_SECONDS)
        return LOST

    def _clock(self, partition: int) -> int:
        """Event time in ms that the partition of the likes has reached; 0 for none yet."""
        found = self._db.query(
            "SELECT toUnixTimestamp64Milli(clock) FROM source_totals WHERE log = %(log)s"
            " AND source_topic = %(topic)s AND source_partition = %(partition)s",
            {"log": self._log, "topic": Topic.LIKE.value, "partition": partition},
        )
        return int(found[0][0]) if found else 0


def accounts(partitions: int) -> Iterator[str]:
    """One account of the canaries for each partition, in their order."""
    for partition in range(partitions):
        names = (f"{PREFIX}{number}" for number in count())
        yield next(name for name in names if partition_of(name, partitions) == partition)
