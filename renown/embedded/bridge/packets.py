"""What client and server say to each other, apart from the blocks themselves."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from renown.embedded.bridge.compression import frames
from renown.embedded.bridge.wire import ProtocolError, Reader, string, varint

REVISION: Final = 54429
"""The newest revision with settings as strings and without custom serialisation of columns."""

_TCP: Final = 1
_BLOCK_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""No overflow row, no bucket, end of fields."""


class FromClient(IntEnum):
    """First number of a client's packet."""

    HELLO = 0
    QUERY = 1
    DATA = 2
    CANCEL = 3
    PING = 4


class FromServer(IntEnum):
    """First number of a server's packet."""

    HELLO = 0
    DATA = 1
    EXCEPTION = 2
    PONG = 4
    END_OF_STREAM = 5


PONG: Final = varint(FromServer.PONG)
END_OF_STREAM: Final = varint(FromServer.END_OF_STREAM)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a client says first."""

    revision: int
    database: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of one query; an unknown one is an error only where it is important."""

    name: str
    value: str
    important: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with its settings; the blocks of external tables follow it."""

    text: str
    settings: tuple[Setting, ...]
    compressed: bool


def read_greeting(reader: Reader) -> Greeting:
    """The client's hello; its user and password mean nothing on the loopback."""
    if reader.varint() != FromClient.HELLO:
        raise ProtocolError("the client does not speak ClickHouse's native protocol")
    reader.string()
    reader.varint()
    reader.varint()
    revision, database = min(reader.varint(), REVISION), reader.string()
    reader.string()
    reader.string()
    if revision < REVISION:
        raise ProtocolError(f"the client is too old: revision {revision}, needed {REVISION}")
    return Greeting(revision, database)


def hello(version: tuple[int, int, int]) -> bytes:
    """The server's hello."""
    return b"".join(
        [
            varint(FromServer.HELLO),
            string("ClickHouse"),
            *(varint(number) for number in (*version[:2], REVISION)),
            string("UTC"),
            string("renown embedded"),
            varint(version[2]),
        ]
    )


def read_query(reader: Reader) -> Query:
    """A query packet after its first number, without the blocks of external tables."""
    reader.string()  # query id
    _skip_client_info(reader)
    settings = []
    while name := reader.string():
        important = bool(reader.varint() & 1)
        settings.append(Setting(name, reader.string(), important))
    reader.varint()  # stage: always complete
    compressed = bool(reader.varint())
    return Query(reader.string(), tuple(settings), compressed)


def _skip_client_info(reader: Reader) -> None:
    if not reader.byte():  # kind of query: none
        return
    for _ in range(3):  # initial user, query id, address
        reader.string()
    if reader.byte() == _TCP:
        for _ in range(3):  # system user, host name, client's name
            reader.string()
        for _ in range(3):  # client's version, revision
            reader.varint()
        reader.string()  # quota key
        reader.varint()  # client's patch version
    else:
        reader.string()


def data(native: bytes, *, compressed: bool) -> bytes:
    """A block (Native bytes without block info) as a packet."""
    content = _BLOCK_INFO + native
    return varint(FromServer.DATA) + string("") + (frames(content) if compressed else content)


def exception(code: int, message: str) -> bytes:
    """An error as a packet."""
    head = varint(FromServer.EXCEPTION) + struct.pack("<i", code)
    return head + string("DB::Exception") + string(message) + string("") + b"\x00"
