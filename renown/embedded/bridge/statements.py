"""Tells apart the statements that need different treatment."""

import re
from dataclasses import dataclass
from typing import Final

_COMMENTS: Final = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.S)
_NAME: Final = r"(?:`[^`]+`|\"[^\"]+\"|\w+)"
_INSERT: Final = re.compile(
    rf"INSERT\s+INTO\s+(?:TABLE\s+)?(?P<table>{_NAME}(?:\.{_NAME})?)"
    rf"\s*(?P<columns>\([^()]*\))?\s*(?:VALUES|FORMAT\s+\w+)\s*;?\s*\Z",
    re.I,
)
_ROWS: Final = re.compile(r"\(*\s*(?:SELECT|WITH)\b", re.I)
_FORMAT: Final = re.compile(r"\s+FORMAT\s+\w+\s*\Z", re.I)
_COLUMN: Final = re.compile(rf"{_NAME}")


@dataclass(frozen=True, slots=True)
class InsertOfBlocks:
    """An INSERT whose rows follow as blocks; ``columns`` None: all of the table's."""

    table: str
    columns: list[str] | None


def without_comments(text: str) -> str:
    """``text`` without what comes before its first word and after its last."""
    return _COMMENTS.sub("", text).rstrip("; \t\r\n")


def insert_of_blocks(text: str) -> InsertOfBlocks | None:
    """The INSERT that ``text`` is, None for every other statement (also INSERT … SELECT)."""
    found = _INSERT.match(text)
    if not found:
        return None
    columns = found["columns"]
    if not columns:
        return InsertOfBlocks(found["table"], None)
    names = [name.group().strip('`"') for name in _COLUMN.finditer(columns)]
    return InsertOfBlocks(found["table"], names)


def gives_rows(text: str) -> bool:
    """Whether ``text`` is a query whose result is worth streaming."""
    return bool(_ROWS.match(text))


def without_format(text: str) -> str:
    """``text`` without a FORMAT at its end: the protocol always carries Native blocks."""
    return _FORMAT.sub("", text)
