"""One client's connection: greets, runs its statements one after another, reports their errors."""

import re
import socket
from collections.abc import Iterable
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from typing import Final

from renown.embedded.bridge import compression, packets
from renown.embedded.bridge.blocks import Block, Columns, empty_block, read_block, with_types
from renown.embedded.bridge.compression import FrameSource
from renown.embedded.bridge.engine import VERSION, Connection, EngineError, Insert
from renown.embedded.bridge.packets import FromClient, Query
from renown.embedded.bridge.statements import (
    InsertOfBlocks,
    gives_rows,
    insert_of_blocks,
    without_comments,
    without_format,
)
from renown.embedded.bridge.wire import ProtocolError, Reader, SocketSource

_NO_SUCH_COLUMN: Final = 16
_COLUMNS_DIFFER: Final = 10
_PROTOCOL: Final = 99
_HIDDEN_KINDS: Final = ("MATERIALIZED", "ALIAS", "EPHEMERAL")
_BARE_DATETIME: Final = re.compile(rb"DateTime(?!64|\()")
"""chdb's Native blocks leave out the zone of DateTime (not that of DateTime64)."""


class Session:
    """Serves one connection until it ends."""

    def __init__(self, connection: socket.socket, folder: Path) -> None:
        self._socket = connection
        self._reader = Reader(SocketSource(connection))
        self._folder = folder
        self._compressed = False

    def serve(self) -> None:
        """Serve until the client goes; errors end up at the client, not here."""
        try:
            greeting = packets.read_greeting(self._reader)
            with closing(Connection(self._folder)) as engine:
                if greeting.database:
                    engine.use(greeting.database)
                self._socket.sendall(packets.hello(VERSION))
                self._loop(engine)
        except EngineError as error:
            self._last_words(packets.exception(error.code, str(error)))
        except ProtocolError as error:
            self._last_words(packets.exception(_PROTOCOL, str(error)))
        except (EOFError, OSError):
            pass  # the client is gone

    def _last_words(self, packet: bytes) -> None:
        with suppress(OSError):  # nobody listens
            self._socket.sendall(packet)

    def _loop(self, engine: Connection) -> None:
        while True:
            self._reader.forget()
            packet = self._reader.varint()
            if packet == FromClient.QUERY:
                self._run(engine, packets.read_query(self._reader))
            elif packet == FromClient.PING:
                self._socket.sendall(packets.PONG)
            elif packet != FromClient.CANCEL:  # a late cancel finds nothing to cancel
                raise ProtocolError(f"packet {packet} was not expected here")

    def _run(self, engine: Connection, query: Query) -> None:
        self._compressed = query.compressed
        if query.compressed and not compression.AVAILABLE:
            raise ProtocolError(
                "compression needs clickhouse-driver[lz4]: install it or turn it off"
            )
        self._refuse_external_tables()
        text = without_comments(query.text)
        try:
            engine.apply_settings(query.settings)
            if insert := insert_of_blocks(text):
                self._insert(engine, insert)
            elif gives_rows(text):
                self._select(engine, without_format(text))
            elif result := engine.run(text):
                self._send(result)
            self._socket.sendall(packets.END_OF_STREAM)
        except EngineError as error:
            self._socket.sendall(packets.exception(error.code, str(error)))

    def _refuse_external_tables(self) -> None:
        while True:
            if self._reader.varint() != FromClient.DATA:
                raise ProtocolError("data was expected after the query")
            block = self._block()
            if not block.columns:
                return
            if block.rows:
                raise ProtocolError("external tables are not supported")

    def _select(self, engine: Connection, query: str) -> None:
        """Blocks as they come. The first one names the columns: only without one chdb is asked."""
        with closing(engine.stream(query)) as blocks:
            first = next(blocks, None)
            if first and not _BARE_DATETIME.search(first):
                self._send_until_cancelled(chain([first], blocks))
                return
        # A connection can do one thing at a time, so the query starts again after the question.
        columns = engine.columns(query)
        self._send(empty_block(columns))
        if first:
            with closing(engine.stream(query)) as blocks:
                self._send_until_cancelled(with_types(native, columns) for native in blocks)

    def _send_until_cancelled(self, blocks: Iterable[bytes]) -> None:
        for native in blocks:
            self._send(native)
            if self._cancelled():
                return

    def _cancelled(self) -> bool:
        if not self._reader.buffered():
            self._socket.setblocking(False)
            try:
                if self._socket.recv(1, socket.MSG_PEEK) == b"":
                    raise EOFError
            except BlockingIOError:
                return False
            finally:
                self._socket.setblocking(True)
        return self._reader.varint() == FromClient.CANCEL

    def _insert(self, engine: Connection, wanted: InsertOfBlocks) -> None:
        columns = _insert_columns(engine, wanted)
        names = [name for name, _ in columns]
        self._send(empty_block(columns))
        failure: EngineError | None = None
        with closing(engine.insert(wanted.table, names)) as insert:
            while block := self._inserted_block():
                # After a failure too: the client sends on to the end and only then listens.
                failure = failure or _taken(insert, block, names)
            if failure:
                raise failure
            insert.finish()

    def _inserted_block(self) -> Block | None:
        packet = self._reader.varint()
        if packet != FromClient.DATA:
            raise ProtocolError(f"packet {packet} was not expected within an insert")
        block = self._block()
        return block if block.rows else None

    def _block(self) -> Block:
        self._reader.string()  # name of an external table
        return read_block(Reader(FrameSource(self._reader)) if self._compressed else self._reader)

    def _send(self, native: bytes) -> None:
        self._socket.sendall(packets.data(native, compressed=self._compressed))


def _insert_columns(engine: Connection, wanted: InsertOfBlocks) -> Columns:
    stored = engine.describe(wanted.table)
    if wanted.columns is None:
        return [(name, kind) for name, kind, default in stored if default not in _HIDDEN_KINDS]
    types = {name: kind for name, kind, _ in stored}
    if missing := [name for name in wanted.columns if name not in types]:
        raise EngineError(_NO_SUCH_COLUMN, f"No such column {missing[0]} in table {wanted.table}")
    return [(name, types[name]) for name in wanted.columns]


def _taken(insert: Insert, block: Block, names: list[str]) -> EngineError | None:
    """Take a block; returns why it cannot be."""
    given = [name for name, _ in block.columns]
    if given != names:  # chdb would ignore unknown ones in silence
        return EngineError(_COLUMNS_DIFFER, f"Block has the columns {given}, expected {names}")
    try:
        insert.append(block.native)
    except EngineError as error:
        return error
    return None
