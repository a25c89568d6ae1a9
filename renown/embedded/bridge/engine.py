"""chdb, the engine: one connection per client, all onto the same data path."""

import json
import re
from collections.abc import Generator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import chdb

from renown.embedded.bridge.blocks import Columns
from renown.embedded.bridge.packets import Setting

_ERROR: Final = re.compile(r"Code: (\d+)\. ((?:.|\n)*)")
_UNKNOWN_SETTING: Final = 115
_UNKNOWN_ERROR: Final = 1002
_CANNOT_WRITE: Final = 75

_BOUNDS: Final = "&".join(
    f"{name}={value}"
    for name, value in {
        # half of the machine is others'; a query that wants more fails and says so
        "max_server_memory_usage_to_ram_ratio": 0.5,
        "mark_cache_size": 256 << 20,
        "primary_index_cache_size": 256 << 20,
        "index_mark_cache_size": 64 << 20,
        "query_condition_cache_size": 32 << 20,
        "compiled_expression_cache_size": 32 << 20,
    }.items()
)
"""Of its memory, in bytes: by default the caches alone may take 15 GB."""

VERSION: Final[tuple[int, int, int]] = tuple(  # type: ignore[assignment]
    int(part) for part in chdb.engine_version.split(".")[:3]
)


class EngineError(Exception):
    """A statement failed; ``code`` is ClickHouse's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def of(cls, error: Exception) -> "EngineError":
        """What chdb raised, with its code found in the text."""
        found = _ERROR.search(str(error))
        return cls(int(found[1]), found[2].strip()) if found else cls(_UNKNOWN_ERROR, str(error))


class Connection:
    """One client's connection; not for several threads at once.

    It does one thing at a time: nothing else runs while a stream is open. Every method may raise
    ``EngineError``. The folder holds chdb's own ``store`` and what is being inserted.
    """

    def __init__(self, folder: Path) -> None:
        self._settings: dict[str, str] = {}
        self._incoming = folder / "incoming"
        self._incoming.mkdir(exist_ok=True)
        try:
            self._chdb = chdb.connect(f"{folder / 'store'}?{_BOUNDS}")
        except Exception as error:  # chdb raises plain RuntimeErrors
            raise EngineError.of(error) from error

    def close(self) -> None:
        """Let go of the engine; the last one to do so closes it."""
        self._chdb.close()

    def run(self, statement: str, form: str = "Native") -> bytes:
        """Run to the end; the whole result as bytes."""
        try:
            result: bytes = self._chdb.query(statement, form).bytes()
        except Exception as error:  # as above
            raise EngineError.of(error) from error
        return result

    def use(self, database: str) -> None:
        """Make ``database`` the one that bare table names are in."""
        self.run(f"USE {identifier(database)}")

    def stream(self, query: str) -> Generator[bytes, None, None]:
        """The result's Native blocks as they come; closing the iterator ends the query."""
        try:
            result = self._chdb.send_query(query, "Native")
            try:
                for chunk in result:
                    if content := chunk.bytes():
                        yield content
            finally:
                result.close()
        except Exception as error:  # as above
            raise EngineError.of(error) from error

    def describe(self, what: str) -> list[tuple[str, str, str]]:
        """Name, type and kind of default of each column of a table or bracketed query."""
        answer = json.loads(self.run(f"DESCRIBE TABLE {what}", "JSONCompact"))
        return [(row[0], row[1], row[2]) for row in answer["data"]]

    def columns(self, query: str) -> Columns:
        """Names and types of a query's result."""
        return [(name, kind) for name, kind, _ in self.describe(f"({query}\n)")]

    def insert(self, table: str, names: list[str]) -> "Insert":
        """Begin an insert of Native blocks with exactly these columns."""
        columns = ", ".join(identifier(name) for name in names)
        return Insert(self, f"INSERT INTO {table} ({columns})", self._incoming)

    def apply_settings(self, wanted: tuple[Setting, ...]) -> None:
        """Have exactly these settings in force, touching only what differs."""
        values = {setting.name: setting.value for setting in wanted}
        for name in [name for name in self._settings if name not in values]:
            self.run(f"SET {identifier(name)} = DEFAULT")
            del self._settings[name]
        for setting in wanted:
            if self._settings.get(setting.name) == setting.value:
                continue
            try:
                self.run(f"SET {identifier(setting.name)} = {literal(setting.value)}")
            except EngineError as error:
                if error.code == _UNKNOWN_SETTING and not setting.important:
                    continue  # as ClickHouse does
                raise
            self._settings[setting.name] = setting.value


class Insert:
    """An insert that is under way: blocks gather in a file, chdb reads it when all are there.

    chdb's own streaming insert would do without the file, but reports success when a constraint, a
    default or a view fails while writing: the rows are then lost in silence.
    """

    def __init__(self, connection: Connection, head: str, folder: Path) -> None:
        self._connection = connection
        self._head = head
        self._blocks = NamedTemporaryFile(dir=folder, suffix=".native")  # noqa: SIM115

    def append(self, native: bytes) -> None:
        """Take one block."""
        try:
            self._blocks.write(native)
        except OSError as error:
            raise EngineError(_CANNOT_WRITE, f"cannot keep the block: {error}") from error

    def finish(self) -> None:
        """Commit; when this returns the rows are stored."""
        try:
            self._blocks.flush()
        except OSError as error:
            raise EngineError(_CANNOT_WRITE, f"cannot keep the blocks: {error}") from error
        self._connection.run(f"{self._head} FROM INFILE {literal(self._blocks.name)} FORMAT Native")

    def close(self) -> None:
        """Forget what was taken; without ``finish`` nothing of it is stored."""
        self._blocks.close()


def identifier(name: str) -> str:
    """``name`` quoted as an identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def literal(value: str) -> str:
    """``value`` quoted as a string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
