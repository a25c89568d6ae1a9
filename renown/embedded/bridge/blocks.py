"""Walks over a Native block to find where it ends: the protocol gives no length for it."""

from dataclasses import dataclass

from renown.embedded.bridge.columntypes import element_type, parse_type
from renown.embedded.bridge.wire import ProtocolError, Reader, string, varint

_GLOBAL_DICTIONARY = 0x100
_OWN_KEYS = 0x200
_INDEX_WIDTHS = (1, 2, 4, 8)

Columns = list[tuple[str, str]]
"""Names and types."""


@dataclass(frozen=True, slots=True)
class Block:
    """A Native block without its block info."""

    columns: Columns
    rows: int
    native: bytes


def empty_block(columns: Columns) -> bytes:
    """Native bytes of a block of no rows: what tells a client names and types."""
    heads = (string(name) + string(kind) for name, kind in columns)
    return b"".join([varint(len(columns)), varint(0), *heads])


def read_block(reader: Reader) -> Block:
    """The next block, block info dropped."""
    while field := reader.varint():
        reader.skip(1 if field == 1 else 4)
    reader.forget()
    width, rows = reader.varint(), reader.varint()
    columns: Columns = []
    for _ in range(width):
        name, kind = reader.string(), reader.string()
        columns.append((name, kind))
        _skip_column(reader, kind, rows)
    block = Block(columns, rows, reader.since(0))
    reader.forget()
    return block


def with_types(native: bytes, columns: Columns) -> bytes:
    """The same block with the types of ``columns`` (equal on the wire) in place of its own."""
    reader = Reader(_Bytes(native))
    out, last = [], 0
    _, rows = reader.varint(), reader.varint()
    for _, wanted in columns:
        reader.string()
        out.append(reader.since(last))
        given = reader.string()
        out.append(string(wanted))
        last = reader.position
        _skip_column(reader, given, rows)
    return b"".join([*out, reader.since(last)])


class _Bytes:
    """A source that is all there."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self) -> bytes:
        content, self._content = self._content, b""
        return content


def _skip_column(reader: Reader, kind: str, rows: int) -> None:
    if rows:
        reader.skip(8 * kind.count("LowCardinality("))  # versions, ahead of all data
        _skip_values(reader, kind, rows)


def _skip_values(reader: Reader, expression: str, rows: int) -> None:
    kind = parse_type(expression)
    if (width := kind.width) is not None:
        reader.skip(width * rows)
    elif kind.name == "String":
        reader.skip_strings(rows)
    elif kind.name == "Nullable":
        reader.skip(rows)
        _skip_values(reader, kind.arguments[0], rows)
    elif kind.name == "LowCardinality":
        _skip_dictionary(reader, kind.arguments[0], rows)
    elif kind.name in ("Array", "Map", "Nested"):
        elements = _last_offset(reader, rows)
        for argument in kind.arguments:
            inner = element_type(argument) if kind.name == "Nested" else argument
            _skip_values(reader, inner, elements)
    elif kind.name == "Tuple":
        for argument in kind.arguments:
            _skip_values(reader, element_type(argument), rows)
    elif kind.name == "SimpleAggregateFunction":
        _skip_values(reader, kind.arguments[1], rows)
    else:
        raise ProtocolError(f"the embedded ClickHouse cannot transport the type {expression}")


def _last_offset(reader: Reader, rows: int) -> int:
    if not rows:
        return 0
    reader.skip(8 * (rows - 1))
    return reader.u64()


def _skip_dictionary(reader: Reader, inner: str, rows: int) -> None:
    if not rows:
        return
    flags = reader.u64()
    if flags & _GLOBAL_DICTIONARY:
        raise ProtocolError("dictionaries across blocks are not supported")
    if flags & _OWN_KEYS:
        kind = parse_type(inner)
        _skip_values(reader, kind.arguments[0] if kind.name == "Nullable" else inner, reader.u64())
    reader.skip(_INDEX_WIDTHS[flags & 0xFF] * reader.u64())
