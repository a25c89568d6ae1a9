"""Records of an interaction topic → columns, as far as they are plain JSON and all is well.

Whatever is unusual or wrong in the least stays UNDECIDED: a complete decoder decides it.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import kernel
from streams.kernels.hashing import hash64_at, partition_at
from streams.kernels.json_object import (
    ACTOR,
    AGENT,
    AMOUNT,
    AT,
    CLOCK,
    FIELDS,
    ID,
    KIND,
    NETWORK,
    OBJECT,
    RECEIVED_AT,
    RECORD,
    TARGET,
    UNDO,
    VERSION,
    read_object,
)
from streams.kernels.json_text import SLACK, UNUSUAL
from streams.kernels.memory import address_of, byte_at, copy_bytes
from streams.kernels.names import LONGEST_NAME, is_name, network_at

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Small = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

INTERACTION, HEARTBEAT, BAD, UNDECIDED = 0, 1, 2, 3
"""What a record is."""

_NEEDED: Final = 1 << ID | 1 << KIND | 1 << NETWORK | 1 << ACTOR | 1 << AT | 1 << RECEIVED_AT
_OF_HEARTBEATS: Final = 1 << VERSION | 1 << CLOCK | 1 << AGENT


class Limits(NamedTuple):
    """What is allowed: sizes in bytes (which are characters here), times in ms."""

    largest_value: int
    longest_text: int
    shortest_account: int
    longest_account: int
    longest_agent: int
    earliest_at: int
    latest_at: int
    ahead: int
    largest_amount: int


class Rules(NamedTuple):
    """What records of one topic-partition say.

    ``names``: uint64[slots, 2] and ``networks``: uint8[slots], the table of ``network_at``.
    ``kind``: uint64[2], a name.
    """

    names: Hashes
    networks: Small
    kind: Hashes
    partition: int
    partitions: np.uint64
    limits: Limits


class Values(NamedTuple):
    """Where the values of records lie; their times of publishing in ms. int64[records] each."""

    places: Longs
    sizes: Longs
    timestamps: Longs


class Columns(NamedTuple):
    """The columns of ``streams.core.decoded.Decoded``."""

    what: Small
    at: Longs
    received_at: Longs
    amount: Longs
    network: Small
    undo: Flags
    self_: Flags
    id: Hashes
    engager: Hashes
    record: Hashes
    actor: Longs
    actor_size: Longs
    target: Longs
    target_size: Longs
    object: Longs
    object_size: Longs
    target_partition: Longs


@kernel
def _is_account(
    data: int, place: int, size: int, names: Hashes, networks: Small, limits: Limits
) -> bool:
    """Whether a text is a known network, a colon and something more."""
    colon = 0
    while colon < min(size, LONGEST_NAME + 1) and byte_at(data, place + colon) != ord(":"):
        colon += 1
    return (
        limits.shortest_account <= size <= limits.longest_account
        and colon + 1 < size
        and network_at(data, place, colon, names, networks) != UNUSUAL
    )


@kernel
def _same(data: int, one: int, other: int, size: int) -> bool:
    for byte in range(size):
        if byte_at(data, one + byte) != byte_at(data, other + byte):
            return False
    return True


@kernel
def _is_heartbeat(fields: int, values: Longs, sizes: Longs, timestamp: int, limits: Limits) -> bool:
    return bool(
        fields & ~_OF_HEARTBEATS == 0
        and fields >> CLOCK & 1 == 1
        and (fields >> VERSION & 1 == 0 or values[VERSION] == 1)
        and (fields >> AGENT & 1 == 0 or sizes[AGENT] <= limits.longest_agent)
        and limits.earliest_at <= values[CLOCK] <= min(timestamp + limits.ahead, limits.latest_at)
    )


@kernel
def _numbers_fit(fields: int, values: Longs, timestamp: int, limits: Limits) -> bool:
    """Whether version, amount and times are allowed; that they are ``fields`` is known."""
    latest = min(min(values[RECEIVED_AT], timestamp) + limits.ahead, limits.latest_at)
    return bool(
        (fields >> VERSION & 1 == 0 or values[VERSION] == 1)
        and (fields >> AMOUNT & 1 == 0 or 1 <= values[AMOUNT] <= limits.largest_amount)
        and values[RECEIVED_AT] <= limits.latest_at
        and limits.earliest_at <= values[AT] <= latest
    )


@kernel
def _texts_fit(fields: int, sizes: Longs, limits: Limits) -> bool:
    """Whether the free texts are as long as allowed."""
    return bool(
        1 <= sizes[ID] <= limits.longest_text
        and (fields >> OBJECT & 1 == 0 or 1 <= sizes[OBJECT] <= limits.longest_text)
        and (fields >> RECORD & 1 == 0 or 1 <= sizes[RECORD] <= limits.longest_text)
    )


@kernel
def scan(data: Bytes, records: Values, rules: Rules, columns: Columns) -> int:
    """Fill in the columns of all records that are plain; the others become UNDECIDED.

    ``data`` ends SLACK bytes or more after the last value: what lies nearer to its end stays
    UNDECIDED. Returns how many are.
    """
    # Each look into a tuple of arrays counts a reference: too much for the loop.
    places, all_sizes, timestamps = records
    names, networks, kind, partition, partitions, limits = rules
    what, at, received_at, amount, network_of, undo, self_, id_, engager, record_of = columns[:10]
    actors, actor_sizes, targets, target_sizes, objects, object_sizes = columns[10:16]
    target_partition = columns.target_partition
    values, sizes = np.empty(FIELDS, np.int64), np.empty(FIELDS, np.int64)
    joined = np.empty(limits.longest_account + 1 + limits.longest_text, np.uint8)
    bytes_ = address_of(data)
    undecided = 0
    for row in range(len(places)):
        what[row] = UNDECIDED
        undecided += 1
        start, size, timestamp = places[row], all_sizes[row], timestamps[row]
        if size <= 0 or size > limits.largest_value or start + size + SLACK > len(data):
            continue
        fields = read_object(bytes_, start, start + size, values, sizes)
        if fields == UNUSUAL:
            continue
        if _is_heartbeat(fields, values, sizes, timestamp, limits):
            what[row], at[row] = HEARTBEAT, values[CLOCK]
            undecided -= 1
            continue
        if fields & _NEEDED != _NEEDED or fields & (1 << CLOCK | 1 << AGENT):
            continue
        if not _numbers_fit(fields, values, timestamp, limits):
            continue
        if not _texts_fit(fields, sizes, limits):
            continue
        if not is_name(bytes_, values[KIND], sizes[KIND], kind):
            continue
        network = network_at(bytes_, values[NETWORK], sizes[NETWORK], names, networks)
        actor, actor_size = values[ACTOR], sizes[ACTOR]
        if network == UNUSUAL or not _is_account(
            bytes_, actor, actor_size, names, networks, limits
        ):
            continue
        if partition_at(bytes_, actor, actor_size, partitions) != partition:
            continue
        undone = fields >> UNDO & 1 == 1 and values[UNDO] == 1
        if fields >> TARGET & 1:
            target, target_size = values[TARGET], sizes[TARGET]
            if not _is_account(bytes_, target, target_size, names, networks, limits):
                continue
            targets[row], target_sizes[row] = target, target_size
            target_partition[row] = partition_at(bytes_, target, target_size, partitions)
            self_[row] = target_size == actor_size and _same(bytes_, actor, target, actor_size)
        elif not undone:
            continue
        what[row] = INTERACTION
        undecided -= 1
        at[row], received_at[row] = values[AT], values[RECEIVED_AT]
        amount[row] = values[AMOUNT] if fields >> AMOUNT & 1 else 1
        network_of[row] = network
        undo[row] = undone
        id_[row] = hash64_at(bytes_, values[ID], sizes[ID])
        engager[row] = hash64_at(bytes_, actor, actor_size)
        actors[row], actor_sizes[row] = actor, actor_size
        if fields >> OBJECT & 1:
            objects[row], object_sizes[row] = values[OBJECT], sizes[OBJECT]
        if fields >> RECORD & 1:
            text = address_of(joined)
            copy_bytes(text, bytes_ + actor, actor_size)
            joined[actor_size] = ord(" ")
            copy_bytes(text + actor_size + 1, bytes_ + values[RECORD], sizes[RECORD])
            record_of[row] = hash64_at(text, 0, actor_size + 1 + sizes[RECORD])
    return undecided
