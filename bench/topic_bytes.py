"""What each topic of a broker holds, as it was sent: record batches, compressed."""

import socket
import struct
from contextlib import closing
from dataclasses import asdict, dataclass

from kafka import KafkaConsumer

_FETCH, _VERSION = 1, 4
_MOST_BYTES = 16 << 20
_BATCH_HEAD = 61


@dataclass(slots=True)
class Held:
    """Sums over the partitions of a topic."""

    bytes: int = 0
    batches: int = 0
    records: int = 0


def held(address: str) -> dict[str, dict[str, int]]:
    """Topic → bytes, batches and records that the broker at ``address`` (host:port) holds."""
    with closing(KafkaConsumer(bootstrap_servers=address)) as consumer:
        topics = {t: consumer.partitions_for_topic(t) or set() for t in consumer.topics()}
    host, _, port = address.rpartition(":")
    found = {}
    with closing(socket.create_connection((host, int(port)), 30.0)) as connection:
        for topic in sorted(topics):
            total = Held()
            for partition in topics[topic]:
                _add_partition(connection, topic, partition, total)
            found[topic] = asdict(total)
    return found


def _add_partition(connection: socket.socket, topic: str, partition: int, total: Held) -> None:
    offset = -1
    while (reached := _add_batches(_fetch(connection, topic, partition, offset), total)) >= offset:
        offset = reached + 1


def _add_batches(data: bytes, total: Held) -> int:
    """Count whole batches; returns the last offset, -2 if there is none."""
    at, last = 0, -2
    while at + _BATCH_HEAD <= len(data):
        base, length = struct.unpack_from(">qi", data, at)
        if at + 12 + length > len(data):
            break
        (delta,) = struct.unpack_from(">i", data, at + 23)
        (records,) = struct.unpack_from(">i", data, at + 57)
        total.bytes += 12 + length
        total.batches += 1
        total.records += records
        last = base + delta
        at += 12 + length
    return last


def _fetch(connection: socket.socket, topic: str, partition: int, offset: int) -> bytes:
    """The batches of one partition from ``offset`` on, as many as a fetch gives."""
    name = struct.pack(">h", len(topic)) + topic.encode()
    body = struct.pack(">hhih", _FETCH, _VERSION, 0, -1)
    body += struct.pack(">iiiib", -1, 50, 1, _MOST_BYTES, 0) + struct.pack(">i", 1) + name
    body += struct.pack(">iiqi", 1, partition, max(offset, 0), _MOST_BYTES)
    connection.sendall(struct.pack(">i", len(body)) + body)
    reply = _read(connection, struct.unpack(">i", _read(connection, 4))[0])
    # correlation id, throttle time, topics, name, partitions; partition, error, two offsets
    at = 12 + len(name) + 4 + 22
    aborted = struct.unpack_from(">i", reply, at)[0]
    at += 4 + 16 * max(0, aborted)
    size = max(0, struct.unpack_from(">i", reply, at)[0])
    return reply[at + 4 : at + 4 + size]


def _read(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise OSError("the broker hung up")
        data += more
    return bytes(data)
