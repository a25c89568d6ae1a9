"""Records of an interaction topic → columns, as far as they are plain JSON and all is well.

Whatever is unusual or wrong in the least stays UNDECIDED: a complete decoder decides it.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import inlined, kernel
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
from streams.kernels.memory import byte_at, word_at

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Small = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

INTERACTION, HEARTBEAT, BAD, UNDECIDED = 0, 1, 2, 3
"""What a record is."""

LONGEST_NAME: Final = 16
"""Bytes of the longest name of a network or kind that is known here."""

_NEEDED: Final = 1 << ID | 1 << KIND | 1 << NETWORK | 1 << ACTOR | 1 << AT | 1 << RECEIVED_AT
_OF_HEARTBEATS: Final = 1 << VERSION | 1 << CLOCK | 1 << AGENT
_ALL_BITS: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_BITS: Final = np.uint64(64)
_NAME_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)


class Rules(NamedTuple):
    """What is allowed. Names are two words of 8 bytes each, the first byte lowest, then zeros.

    ``names``: uint64[slots, 2], networks at the place that ``slot_of`` gives or the next free one
    after it; zeros: free. ``networks``: uint8[slots], which network. ``kind``: uint64[2].
    ``longest_text``, ``shortest_account``, ``longest_account``, ``longest_agent``: bytes.
    ``earliest_at``, ``latest_at``, ``ahead``: ms.
    """

    names: Hashes
    networks: Small
    kind: Hashes
    partition: int
    partitions: np.uint64
    largest_value: int
    longest_text: int
    shortest_account: int
    longest_account: int
    longest_agent: int
    earliest_at: int
    latest_at: int
    ahead: int
    largest_amount: int


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


@inlined
def slot_of(low: np.uint64, high: np.uint64, slots: int) -> np.int64:
    """Where a name is looked for first; ``slots`` is a power of two."""
    mixed = (low ^ (high * _NAME_FACTOR)) * _NAME_FACTOR
    return np.int64(mixed >> np.uint64(32)) & (slots - 1)


@inlined
def _name_at(data: Bytes, place: int, size: int) -> tuple[np.uint64, np.uint64]:
    """The two words of a name of 1 to LONGEST_NAME bytes."""
    low, high = word_at(data, place), np.uint64(0)
    if size > 8:
        high = word_at(data, place + 8) & (_ALL_BITS >> (_BITS - np.uint64(8 * (size - 8))))
    else:
        low &= _ALL_BITS >> (_BITS - np.uint64(8 * size))
    return low, high


@kernel
def _network_at(
    data: Bytes, place: int, size: int, names: Hashes, networks: Small
) -> np.int64 | int:
    """The network of the name in ``data[place:place + size]``; else UNUSUAL."""
    if size < 1 or size > LONGEST_NAME:
        return UNUSUAL
    low, high = _name_at(data, place, size)
    slot = slot_of(low, high, len(names))
    while names[slot, 0] != 0:
        if names[slot, 0] == low and names[slot, 1] == high:
            return np.int64(networks[slot])
        slot = (slot + 1) & (len(names) - 1)
    return UNUSUAL


@inlined
def _is_account(data: Bytes, place: int, size: int, rules: Rules) -> bool:
    """Whether a text is a known network, a colon and something more."""
    colon = 0
    while colon < min(size, LONGEST_NAME + 1) and byte_at(data, place + colon) != ord(":"):
        colon += 1
    return (
        rules.shortest_account <= size <= rules.longest_account
        and colon + 1 < size
        and _network_at(data, place, colon, rules.names, rules.networks) != UNUSUAL
    )


@inlined
def _is_kind(data: Bytes, place: int, size: int, kind: Hashes) -> bool:
    fits = False
    if 1 <= size <= LONGEST_NAME:
        low, high = _name_at(data, place, size)
        fits = bool(low == kind[0] and high == kind[1])
    return fits


@kernel
def _same(data: Bytes, one: int, other: int, size: int) -> bool:
    for byte in range(size):
        if byte_at(data, one + byte) != byte_at(data, other + byte):
            return False
    return True


@kernel
def _copied(data: Bytes, place: int, size: int, buffer: Bytes, start: int) -> None:
    for byte in range(size):
        buffer[start + byte] = data[place + byte]


@inlined
def _is_heartbeat(fields: int, values: Longs, sizes: Longs, timestamp: int, rules: Rules) -> bool:
    return bool(
        fields & ~_OF_HEARTBEATS == 0
        and fields >> CLOCK & 1 == 1
        and (fields >> VERSION & 1 == 0 or values[VERSION] == 1)
        and (fields >> AGENT & 1 == 0 or sizes[AGENT] <= rules.longest_agent)
        and rules.earliest_at <= values[CLOCK] <= min(timestamp + rules.ahead, rules.latest_at)
    )


@inlined
def _numbers_fit(fields: int, values: Longs, timestamp: int, rules: Rules) -> bool:
    """Whether version, amount and times are allowed; that they are ``fields`` is known."""
    latest = min(min(values[RECEIVED_AT], timestamp) + rules.ahead, rules.latest_at)
    return bool(
        (fields >> VERSION & 1 == 0 or values[VERSION] == 1)
        and (fields >> AMOUNT & 1 == 0 or 1 <= values[AMOUNT] <= rules.largest_amount)
        and values[RECEIVED_AT] <= rules.latest_at
        and rules.earliest_at <= values[AT] <= latest
    )


@inlined
def _texts_fit(data: Bytes, fields: int, values: Longs, sizes: Longs, rules: Rules) -> bool:
    """Whether kind, accounts and free texts are allowed."""
    return (
        1 <= sizes[ID] <= rules.longest_text
        and _is_kind(data, values[KIND], sizes[KIND], rules.kind)
        and _is_account(data, values[ACTOR], sizes[ACTOR], rules)
        and (
            _is_account(data, values[TARGET], sizes[TARGET], rules)
            if fields >> TARGET & 1
            else fields >> UNDO & 1 == 1 and values[UNDO] == 1
        )
        and (fields >> OBJECT & 1 == 0 or 1 <= sizes[OBJECT] <= rules.longest_text)
        and (fields >> RECORD & 1 == 0 or 1 <= sizes[RECORD] <= rules.longest_text)
    )


@kernel
def scan(data: Bytes, records: Values, rules: Rules, columns: Columns) -> int:
    """Fill in the columns of all records that are plain; the others become UNDECIDED.

    ``data`` ends SLACK bytes or more after the last value: what lies nearer to its end stays
    UNDECIDED. Returns how many are.
    """
    values, sizes = np.empty(FIELDS, np.int64), np.empty(FIELDS, np.int64)
    joined = np.empty(rules.longest_account + 1 + rules.longest_text, np.uint8)
    undecided = 0
    for record in range(len(records.places)):
        columns.what[record] = UNDECIDED
        undecided += 1
        start, size = records.places[record], records.sizes[record]
        timestamp = records.timestamps[record]
        if size <= 0 or size > rules.largest_value or start + size + SLACK > len(data):
            continue
        fields = read_object(data, start, start + size, values, sizes)
        if fields == UNUSUAL:
            continue
        if _is_heartbeat(fields, values, sizes, timestamp, rules):
            columns.what[record], columns.at[record] = HEARTBEAT, values[CLOCK]
            undecided -= 1
            continue
        if fields & _NEEDED != _NEEDED or fields & (1 << CLOCK | 1 << AGENT):
            continue
        if not _numbers_fit(fields, values, timestamp, rules):
            continue
        if not _texts_fit(data, fields, values, sizes, rules):
            continue
        network = _network_at(data, values[NETWORK], sizes[NETWORK], rules.names, rules.networks)
        actor, actor_size = values[ACTOR], sizes[ACTOR]
        if network == UNUSUAL:
            continue
        if partition_at(data, actor, actor_size, rules.partitions) != rules.partition:
            continue
        columns.what[record] = INTERACTION
        undecided -= 1
        columns.at[record], columns.received_at[record] = values[AT], values[RECEIVED_AT]
        columns.amount[record] = values[AMOUNT] if fields >> AMOUNT & 1 else 1
        columns.network[record] = network
        columns.undo[record] = fields >> UNDO & 1 == 1 and values[UNDO] == 1
        columns.id[record] = hash64_at(data, values[ID], sizes[ID])
        columns.engager[record] = hash64_at(data, actor, actor_size)
        columns.actor[record], columns.actor_size[record] = actor, actor_size
        if fields >> TARGET & 1:
            target, target_size = values[TARGET], sizes[TARGET]
            columns.target[record], columns.target_size[record] = target, target_size
            columns.target_partition[record] = partition_at(
                data, target, target_size, rules.partitions
            )
            columns.self_[record] = target_size == actor_size and _same(
                data, actor, target, actor_size
            )
        if fields >> OBJECT & 1:
            columns.object[record], columns.object_size[record] = values[OBJECT], sizes[OBJECT]
        if fields >> RECORD & 1:
            _copied(data, actor, actor_size, joined, 0)
            joined[actor_size] = ord(" ")
            _copied(data, values[RECORD], sizes[RECORD], joined, actor_size + 1)
            columns.record[record] = hash64_at(joined, 0, actor_size + 1 + sizes[RECORD])
    return undecided
