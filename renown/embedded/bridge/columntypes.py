"""ClickHouse's type expressions, as far as their widths on the wire are concerned."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_NUMBERS: Final = {
    **{"Int8": 1, "UInt8": 1, "Bool": 1, "Enum8": 1, "Nothing": 1},
    **{"Int16": 2, "UInt16": 2, "Enum16": 2, "Date": 2, "BFloat16": 2},
    **{"Int32": 4, "UInt32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "IPv4": 4},
    **{"Int64": 8, "UInt64": 8, "Float64": 8, "DateTime64": 8},
    **{"Int128": 16, "UInt128": 16, "UUID": 16, "IPv6": 16},
    **{"Int256": 32, "UInt256": 32},
    **{"Decimal32": 4, "Decimal64": 8, "Decimal128": 16, "Decimal256": 32},
}
_DECIMAL_WIDTHS: Final = ((9, 4), (18, 8), (38, 16), (76, 32))
"""Up to so many digits take so many bytes."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """``Array(Nullable(String))``: name ``Array``, one argument. Enum values are left out."""

    name: str
    arguments: tuple[str, ...]

    @property
    def width(self) -> int | None:
        """Bytes a value, None where it varies."""
        if self.name == "FixedString":
            return int(self.arguments[0])
        if self.name == "Decimal":
            digits = int(self.arguments[0])
            return next(width for most, width in _DECIMAL_WIDTHS if digits <= most)
        return _NUMBERS.get(self.name)


@lru_cache(maxsize=1024)
def parse_type(expression: str) -> ColumnType:
    """Name and arguments of a type expression."""
    name, bracket, rest = expression.partition("(")
    if not bracket or name.startswith("Enum"):
        return ColumnType(name, ())
    return ColumnType(name, tuple(split_arguments(rest.rpartition(")")[0])))


def split_arguments(text: str) -> list[str]:
    """Split at the commas that are outside brackets and quotes."""
    parts, depth, start, quote = [], 0, 0, ""
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'`":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


def element_type(element: str) -> str:
    """The type of a tuple's element, which may have a (back-quoted) name before it."""
    if element.startswith("`"):
        return element[element.index("`", 1) + 1 :].strip()
    name, space, rest = element.partition(" ")
    # "Decimal(9, 2)" has a space too, but inside its brackets.
    return rest.strip() if space and "(" not in name else element
