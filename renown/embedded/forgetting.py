"""Having the embedded broker forget what a partition holds, which gives the memory back at once.

Tansu has no retention and no DeleteRecords, but DeleteTopics frees memory, and it keeps a
partition's batches as objects named ``…/topics/<topic>/partitions/<number>/records/…``. A topic
without partitions of the name ``<topic>/partitions/<number>/records`` owns exactly these names, so
to create it and delete it again deletes the batches and nothing else: offsets go on, positions and
committed offsets stay, a reader that stands at the end notices nothing.

A reader that does not stand at the end loses what it has not read. It is for the caller to have
writers rest and readers done, and to know that a state which is restored goes on behind the end.
"""

import socket
import struct
from collections.abc import Iterable
from contextlib import closing
from typing import Final

from config.errors import Unreachable

_CREATE_TOPICS, _CREATE_VERSION = 19, 2
_DELETE_TOPICS, _DELETE_VERSION = 20, 1
_EXISTS: Final = 36
_ANSWER_SECONDS: Final = 10.0
_WAIT_MS: Final = 5_000


def forget(address: str, partitions: Iterable[tuple[str, int]]) -> None:
    """Have the broker at ``address`` (host:port) forget all records of topic partitions.

    Raises ``Unreachable`` if it does not answer or refuses.
    """
    names = [f"{topic}/partitions/{number:010d}/records" for topic, number in partitions]
    host, _, port = address.rpartition(":")
    try:
        with closing(socket.create_connection((host, int(port)), _ANSWER_SECONDS)) as connection:
            # One by one: a refusal then says which.
            for name in names:
                _request(connection, _CREATE_TOPICS, _CREATE_VERSION, _to_create(name), _EXISTS)
                _request(connection, _DELETE_TOPICS, _DELETE_VERSION, _to_delete(name))
    except (OSError, struct.error) as error:
        raise Unreachable(f"the embedded broker forgot nothing: no answer ({error})") from error


def _to_create(name: str) -> bytes:
    """One topic with no partition, one replica, no assignments, no settings."""
    topic = _text(name) + struct.pack(">ihii", 0, 1, 0, 0)
    return struct.pack(">i", 1) + topic + struct.pack(">i?", _WAIT_MS, False)


def _to_delete(name: str) -> bytes:
    return struct.pack(">i", 1) + _text(name) + struct.pack(">i", _WAIT_MS)


def _request(
    connection: socket.socket, key: int, version: int, body: bytes, allowed: int = 0
) -> None:
    message = struct.pack(">hhih", key, version, 0, -1) + body
    connection.sendall(struct.pack(">i", len(message)) + message)
    length = struct.unpack(">i", _read(connection, 4))[0]
    reply = _read(connection, length)
    # correlation id, throttle time, number of topics; name and error code of the one there is
    name = 14 + struct.unpack_from(">h", reply, 12)[0]
    code = struct.unpack_from(">h", reply, name)[0]
    if code not in (0, allowed):
        raise Unreachable(
            f"the embedded broker did not forget {reply[14:name].decode()}: error {code}"
        )


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise OSError("it hung up")
        data += more
    return data


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()
