"""Whole fetches of a source topic to columns: what is plain in one pass, the rest one by one.

The result is that of ``decode_plain``, record by record; only the buffer of the texts is another.
"""

import numpy as np

from schemas.interaction import (
    EARLIEST_AT,
    LARGEST_AHEAD_MS,
    LARGEST_AMOUNT,
    LATEST_AT,
    LONGEST_ACCOUNT,
    LONGEST_AGENT,
    LONGEST_TEXT,
    SHORTEST_ACCOUNT,
)
from schemas.kinds import KINDS
from schemas.networks import NETWORKS
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.core.decode import LARGEST_VALUE, Decoder
from streams.core.decode_posts import PostDecoder
from streams.core.decoded import Decoded, Hashes, Small, blank, decide, decode_plain
from streams.core.records import RecordColumns
from streams.kernels.json_text import SLACK
from streams.kernels.names import LONGEST_NAME, slot_of
from streams.kernels.scan import UNDECIDED, Columns, Limits, Rules, Values, scan


def _words(name: str) -> tuple[int, int]:
    """A name as the kernels compare it: two words of 8 bytes each, the first byte lowest."""
    padded = name.encode().ljust(LONGEST_NAME, b"\0")
    return int.from_bytes(padded[:8], "little"), int.from_bytes(padded[8:], "little")


def _table(names: tuple[str, ...]) -> tuple[Hashes, Small]:
    """The names and their numbers, each at its slot; too long ones are left to the plain way."""
    slots = 1 << (4 * len(names)).bit_length()
    words, numbers = np.zeros((slots, 2), np.uint64), np.zeros(slots, np.uint8)
    for number, name in enumerate(names):
        if len(name) <= LONGEST_NAME:
            low, high = _words(name)
            slot = int(slot_of(np.uint64(low), np.uint64(high), slots))
            while words[slot, 0]:
                slot = (slot + 1) % slots
            words[slot], numbers[slot] = (low, high), number
    return words, numbers


_NAMES, _NUMBERS = _table(NETWORKS)


_LIMITS = Limits(
    largest_value=LARGEST_VALUE,
    longest_text=LONGEST_TEXT,
    shortest_account=SHORTEST_ACCOUNT,
    longest_account=LONGEST_ACCOUNT,
    longest_agent=LONGEST_AGENT,
    earliest_at=EARLIEST_AT,
    latest_at=LATEST_AT,
    ahead=LARGEST_AHEAD_MS,
    largest_amount=LARGEST_AMOUNT,
)


class PostColumnDecoder:
    """Decodes the fetches of one partition of ``posts``, which are few: all one by one."""

    def __init__(self, partition: int, partitions: int) -> None:
        self._plain = PostDecoder(partition, partitions)
        self._partitions = partitions

    def decode(self, records: RecordColumns) -> Decoded:
        """What ``records`` say. Never raises, whatever lies in them."""
        return decode_plain(records, self._plain, self._partitions)


class ColumnDecoder:
    """Decodes the fetches of one interaction topic-partition."""

    def __init__(self, topic: Topic, partition: int, partitions: int) -> None:
        """Raises ``ValueError`` if ``topic`` carries no interactions."""
        self._plain = Decoder(topic, partition, partitions)
        self._partitions = partitions
        self._rules = Rules(
            names=_NAMES,
            networks=_NUMBERS,
            kind=np.array(_words(KINDS[INTERACTION_TOPICS.index(topic)].value), np.uint64),
            partition=partition,
            partitions=np.uint64(partitions),
            limits=_LIMITS,
        )

    def decode(self, records: RecordColumns) -> Decoded:
        """What ``records`` say. Never raises, whatever lies in them."""
        decoded = blank(records.roomy(SLACK), records.offsets)
        values = Values(records.values, records.value_sizes, records.timestamps)
        undecided = scan(decoded.data, values, self._rules, _columns(decoded))
        if not undecided:
            return decoded
        places = np.flatnonzero(decoded.what == UNDECIDED).tolist()
        return decide(decoded, places, records, self._plain, self._partitions)


def _columns(decoded: Decoded) -> Columns:
    return Columns(
        what=decoded.what,
        at=decoded.at,
        received_at=decoded.received_at,
        amount=decoded.amount,
        network=decoded.network,
        undo=decoded.undo,
        self_=decoded.self_,
        id=decoded.id,
        engager=decoded.engager,
        record=decoded.record,
        actor=decoded.actor.places,
        actor_size=decoded.actor.sizes,
        target=decoded.target.places,
        target_size=decoded.target.sizes,
        object=decoded.object.places,
        object_size=decoded.object.sizes,
        target_partition=decoded.target_partition,
    )
