"""One connection to ClickHouse over its native protocol, with errors that people can read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy.typing as npt
from clickhouse_driver import Client
from clickhouse_driver.errors import Error as DriverError
from clickhouse_driver.errors import PartiallyConsumedQueryError, ServerException

from config.errors import RenownError, WrongUse
from config.settings import ClickHouseAddress
from streams.sinks.errors import Refused, Unavailable
from streams.sinks.text_arrays import pass_through, plain

Row = tuple[Any, ...]

UNKNOWN_TABLE: Final = 60
UNKNOWN_DATABASE: Final = 81
_WRONG_LOGIN: Final = frozenset({192, 193, 194, 516})
_PASSING: Final = frozenset({
    159,  # TIMEOUT_EXCEEDED
    160,  # TOO_SLOW
    202,  # TOO_MANY_SIMULTANEOUS_QUERIES
    203,  # NO_FREE_CONNECTION
    209,  # SOCKET_TIMEOUT
    210,  # NETWORK_ERROR
    236,  # ABORTED
    241,  # MEMORY_LIMIT_EXCEEDED
    242,  # TABLE_IS_READ_ONLY
    243,  # NOT_ENOUGH_SPACE
    252,  # TOO_MANY_PARTS
    285,  # TOO_FEW_LIVE_REPLICAS
    319,  # UNKNOWN_STATUS_OF_INSERT
    394,  # QUERY_WAS_CANCELLED
    425,  # SYSTEM_ERROR
    439,  # CANNOT_SCHEDULE_TASK
    999,  # KEEPER_EXCEPTION
})  # fmt: skip
"""Codes of errors that come from the server's state and not from what was asked."""


class Database:
    """A database of a ClickHouse server; connects when first used, and again after a failure.

    Every method raises ``Unavailable`` if the server is away or overloaded, ``WrongUse`` if it does
    not know the user, and ``Refused`` if it will not do what was asked. One thread at a time.
    """

    def __init__(
        self, address: ClickHouseAddress, *, connect_seconds: float = 3, answer_seconds: float = 300
    ) -> None:
        """``answer_seconds``: longest silence of the server during a query."""
        self.address = address
        self._timeouts: dict[str, Any] = {
            "connect_timeout": connect_seconds,
            "sync_request_timeout": connect_seconds,
            "send_receive_timeout": answer_seconds,
        }
        self._client = self._connect(address.database)

    def __enter__(self) -> "Database":
        """The database itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def query(self, sql: str, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of ``sql``, in which ``%(name)s`` stands for a value."""
        return self.table(sql, values)[1]

    def table(
        self, sql: str, values: Mapping[str, Any] | None = None
    ) -> tuple[list[tuple[str, str]], list[Row]]:
        """Names and types of the columns of ``sql``, and its rows."""
        columns, rows = self.stream(sql, values)
        return columns, list(rows)

    def stream(
        self, sql: str, values: Mapping[str, Any] | None = None
    ) -> tuple[list[tuple[str, str]], Iterator[Row]]:
        """Like ``table``, with rows as they arrive; who wants no more of them must ``close``."""
        with self._errors():
            answer = self._client.execute_iter(sql, values and dict(values), with_column_types=True)
            # A statement without a result answers with nothing at all.
            columns: list[tuple[str, str]] = next(answer, [])
        return columns, self._arriving(answer)

    def _arriving(self, answer: Iterator[Row]) -> Iterator[Row]:
        with self._errors():
            yield from answer

    def run(self, sql: str, values: Mapping[str, Any] | None = None) -> None:
        """Run a statement that has no result."""
        with self._errors():
            self._client.execute(sql, values and dict(values))

    def insert(self, table: str, columns: Mapping[str, npt.NDArray[Any]]) -> int:
        """Insert whole numpy columns as they are; returns the number of rows.

        Texts are text arrays or arrays of ``object``, times are integers in the unit of their
        column.
        """
        values = list(columns.values())
        if not pass_through():
            values = [plain(column) for column in values]
        return self._insert(table, list(columns), values, use_numpy=True)

    def insert_lists(self, table: str, columns: Mapping[str, Sequence[Any]]) -> int:
        """Insert columns that hold arrays, maps or bytes; slower than ``insert``."""
        return self._insert(table, list(columns), list(columns.values()), use_numpy=False)

    def create(self) -> None:
        """Make the database itself if it is missing."""
        name = self.address.database.replace("\\", "\\\\").replace("`", "\\`")
        with self._errors():
            server = self._connect("")
            try:
                server.execute(f"CREATE DATABASE IF NOT EXISTS `{name}`")
            finally:
                server.disconnect()

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        self._client.disconnect()

    def _connect(self, database: str) -> Client:
        address = self.address
        return Client(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            database=database,
            secure=address.secure,
            client_name="renown",
            **self._timeouts,
        )

    def _insert(self, table: str, names: list[str], data: list[Any], *, use_numpy: bool) -> int:
        rows = len(data[0])
        if rows:
            sql = f"INSERT INTO {table} ({', '.join(f'`{name}`' for name in names)}) VALUES"
            with self._errors():
                self._client.execute(sql, data, columnar=True, settings={"use_numpy": use_numpy})
        return rows

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ServerException as error:
            raise self._refusal(error) from error
        except PartiallyConsumedQueryError:
            raise
        except (DriverError, OSError, EOFError) as error:
            self._client.disconnect()
            raise Unavailable(
                f"cannot reach ClickHouse at {self.address} ({_line(str(error) or repr(error))}): "
                "start it or correct RENOWN_CLICKHOUSE"
            ) from error

    def _refusal(self, error: ServerException) -> RenownError:
        code = error.code or 0
        if code in _PASSING:
            return Unavailable(f"ClickHouse at {self.address} is too busy: {_line(error.message)}")
        if code in _WRONG_LOGIN:
            line = f"refuses user {self.address.user}: correct RENOWN_CLICKHOUSE"
            return WrongUse(f"ClickHouse at {self.address} {line}")
        if code == UNKNOWN_DATABASE:
            line = "has no such database: run renown migrate"
        elif code == UNKNOWN_TABLE:
            line = "lacks a table: SHOW TABLES lists those there are, renown migrate makes ours"
            line += f" ({_line(error.message)})"
        else:
            line = f"refuses: {_line(error.message)}"
        return Refused(f"ClickHouse at {self.address} {line}", code)


def connect(address: ClickHouseAddress) -> Database:
    """The database at ``address``, with the usual timeouts."""
    return Database(address)


def _line(message: str) -> str:
    """The first line of a server's message, without its stack trace and its repeated name."""
    message = message.partition("Stack trace:")[0]
    text = " ".join(message.split()).removeprefix("DB::Exception:").strip().rstrip(".")
    text = re.sub(r"^Code: \d+\. ", "", text)
    return text if len(text) <= 300 else text[:300] + "…"
