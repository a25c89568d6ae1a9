"""The end of a Native block is found whatever its columns hold, however its bytes arrive."""

import random

import pytest

from renown.embedded.bridge.blocks import empty_block, read_block, with_types
from renown.embedded.bridge.columntypes import element_type, parse_type, split_arguments
from renown.embedded.bridge.wire import ProtocolError, Reader, string, varint

BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"


class Pieces:
    """A source that gives its bytes in pieces of random sizes."""

    def __init__(self, content: bytes, seed: int) -> None:
        self._content = content
        self._random = random.Random(seed)

    def read(self) -> bytes:
        """The next piece."""
        size = self._random.choice([1, 2, 3, 7, 100, 5000])
        piece, self._content = self._content[:size], self._content[size:]
        return piece


def offsets(*ends: int) -> bytes:
    """What precedes the elements of arrays."""
    return b"".join(end.to_bytes(8, "little") for end in ends)


def dictionary(keys: list[bytes], width_code: int, index: bytes, rows: int) -> bytes:
    """The data of a LowCardinality column after its version."""
    flags = (0x200 | width_code).to_bytes(8, "little")
    content = offsets(len(keys)) + b"".join(map(string, keys))
    return flags + content + offsets(rows) + index


VERSION = offsets(1)
LONG = b"z" * 300
COLUMNS = {
    "UInt8": b"\x01\x02\x03",
    "DateTime64(3, 'UTC')": bytes(24),
    "Enum8('a(' = 1, 'b)' = 2)": b"\x01\x02\x01",
    "FixedString(5)": b"x" * 15,
    "Decimal(18, 4)": bytes(24),
    "String": string(b"") + string(LONG) + string(b"abc"),
    "Nullable(String)": b"\x00\x01\x00" + string(b"a") + string(b"") + string(LONG),
    "Array(String)": offsets(0, 2, 3) + string(b"a") + string(LONG) + string(b"c"),
    "Array(Array(UInt16))": offsets(1, 1, 2) + offsets(2, 3) + bytes(6),
    "Map(String, UInt64)": offsets(1, 2, 2) + string(b"k") + string(b"l") + bytes(16),
    "Tuple(a UInt8, `b c` Nullable(UInt16), Decimal(9, 2))": bytes(3) + bytes(3 + 6) + bytes(12),
    "LowCardinality(String)": VERSION + dictionary([b"", b"x", LONG], 0, bytes(3), 3),
    "LowCardinality(Nullable(String))": VERSION + dictionary([b"", b"x"], 1, bytes(6), 3),
    "Array(LowCardinality(String))": VERSION
    + offsets(1, 1, 2)
    + dictionary([b"x", LONG], 0, bytes(2), 2),
    "SimpleAggregateFunction(sum, UInt64)": bytes(24),
}


def native_block(columns: dict[str, bytes], rows: int) -> bytes:
    """Native bytes of a block whose columns are named by their types."""
    parts = [string(kind) + string(kind) + data for kind, data in columns.items()]
    return varint(len(columns)) + varint(rows) + b"".join(parts)


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("seed", range(5))
def test_the_end_of_each_type_is_found(kind: str, seed: int) -> None:
    native = native_block({kind: COLUMNS[kind], "UInt8": b"\x07\x08\x09"}, 3)
    reader = Reader(Pieces(BLOCK_INFO + native + b"next", seed))
    block = read_block(reader)
    assert block.native == native
    assert block.rows == 3
    assert block.columns[0] == (kind, kind)
    assert reader.take(4) == b"next"


def test_a_block_of_all_types_at_once_and_one_of_none() -> None:
    native = native_block(COLUMNS, 3)
    nothing = empty_block([])
    reader = Reader(Pieces(BLOCK_INFO + native + BLOCK_INFO + nothing, 1))
    assert read_block(reader).native == native
    end = read_block(reader)
    assert (end.columns, end.rows) == ([], 0)


def test_columns_without_rows_have_no_data() -> None:
    native = empty_block([("a", "LowCardinality(String)"), ("b", "Array(UInt8)")])
    block = read_block(Reader(Pieces(BLOCK_INFO + native + b"x", 1)))
    assert block.native == native
    assert block.columns == [("a", "LowCardinality(String)"), ("b", "Array(UInt8)")]


def test_many_strings_in_small_pieces() -> None:
    values = [bytes([65 + n % 26]) * (n % 200) for n in range(5000)]
    native = native_block({"String": b"".join(map(string, values))}, len(values))
    assert read_block(Reader(Pieces(BLOCK_INFO + native + b"x", 3))).native == native


def test_types_are_replaced_and_data_kept() -> None:
    given = native_block({"DateTime": bytes(8), "String": string(LONG) + string(b"a")}, 2)
    wanted = [("DateTime", "DateTime('Europe/Berlin')"), ("String", "String")]
    replaced = read_block(Reader(Pieces(BLOCK_INFO + with_types(given, wanted), 1)))
    assert replaced.columns == wanted
    assert replaced.native.endswith(string(b"String") * 2 + string(LONG) + string(b"a"))


@pytest.mark.parametrize("kind", ["AggregateFunction(uniq, UInt64)", "JSON", "Variant(UInt8)"])
def test_a_type_without_known_end_is_refused(kind: str) -> None:
    with pytest.raises(ProtocolError, match="cannot transport"):
        read_block(Reader(Pieces(BLOCK_INFO + native_block({kind: bytes(100)}, 2), 1)))


def test_an_end_within_a_block_is_an_end_of_file() -> None:
    native = native_block(COLUMNS, 3)
    for length in range(0, len(native), 97):
        with pytest.raises(EOFError):
            read_block(Reader(Pieces(BLOCK_INFO + native[:length], length)))


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**32, 2**63])
def test_variable_length_numbers(number: int) -> None:
    assert Reader(Pieces(varint(number), 1)).varint() == number


def test_an_endless_number_is_refused() -> None:
    with pytest.raises(ProtocolError):
        Reader(Pieces(b"\xff" * 20, 1)).varint()


def test_type_expressions() -> None:
    assert parse_type("Map(String, Array(Tuple(a UInt8, b UInt8)))").arguments == (
        "String",
        "Array(Tuple(a UInt8, b UInt8))",
    )
    assert split_arguments("`a,b` UInt8, DateTime('a,b'), Enum8('(' = 1)") == [
        "`a,b` UInt8",
        "DateTime('a,b')",
        "Enum8('(' = 1)",
    ]
    assert element_type("`a b` String") == "String"
    assert element_type("name Array(String)") == "Array(String)"
    assert element_type("Decimal(9, 2)") == "Decimal(9, 2)"
