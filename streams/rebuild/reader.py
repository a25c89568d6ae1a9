"""Large results of ClickHouse, block by block and column by column."""

from collections.abc import Iterator
from typing import Any, Final, Self

from clickhouse_driver import Client
from clickhouse_driver.result import IterQueryResult

from streams.sinks.client import Database

Block = tuple[tuple[Any, ...], ...]
"""Columns of equal length, in the order of the query."""

_SETTINGS: Final = {
    "max_block_size": 65_536,
    # what is grouped is grouped by the beginning of the table's order
    "optimize_aggregation_in_order": 1,
    "max_bytes_before_external_sort": 1 << 30,
    "max_bytes_before_external_group_by": 1 << 30,
}


class _Blocks(IterQueryResult):
    """Gives blocks of columns where the driver's own class gives rows."""

    def __next__(self) -> list[Any]:
        packet = next(self.packet_generator)
        block = getattr(packet, "block", None)
        return [tuple(block.get_columns())] if block is not None and block.num_rows else []


class BlockReader(Database):
    """A connection of its own for large results; one at a time, and each read to its end."""

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def blocks(self, sql: str) -> Iterator[Block]:
        """The blocks of ``sql`` as they arrive."""
        with self._errors():
            yield from self._client.execute_iter(sql, settings=_SETTINGS)

    def _connect(self, database: str) -> Client:
        client = super()._connect(database)
        client.iter_query_result_cls = _Blocks
        return client
