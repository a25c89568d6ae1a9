"""A ClickHouse connection on which nothing can be changed."""

from typing import Any, Final

from streams.sinks.client import Database

_READS_AND_SETTINGS: Final = 2
"""ClickHouse's ``readonly``: reading is allowed, and ``SETTINGS`` in a query."""


class ReadOnlyDatabase(Database):
    """Like ``Database``; the server refuses whatever is no query."""

    def _connect(self, database: str) -> Any:
        client = super()._connect(database)
        client.settings["readonly"] = _READS_AND_SETTINGS
        return client
