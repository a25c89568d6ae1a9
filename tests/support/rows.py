"""Rows of ``weighed`` one by one: tuples in the order of ``ROW_SCHEMA``."""

from typing import Any

from schemas.frames import ROW_SCHEMA, Columns
from streams.core.weighed import Weighed

Row = tuple[Any, ...]


def rows_of_columns(columns: Columns) -> list[Row]:
    """The rows of columns."""
    return list(zip(*(columns[name].tolist() for name in ROW_SCHEMA.names), strict=True))


def rows_in(weighed: Weighed, partitions: int) -> list[list[Row]]:
    """The rows for each target partition."""
    return [
        rows_of_columns(weighed.rows[partition]) if partition in weighed.rows else []
        for partition in range(partitions)
    ]


def all_rows(weighed: Weighed) -> list[Row]:
    """The rows for all target partitions, one after the other."""
    return [row for _, columns in sorted(weighed.rows.items()) for row in rows_of_columns(columns)]
