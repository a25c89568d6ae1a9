"""chdb, the engine: one connection per client, all onto the same data path."""

import json
import re
from collections.abc import Generator
from typing import Any, Final

import chdb

from renown.embedded.bridge.blocks import Columns
from renown.embedded.bridge.packets import Setting

_ERROR: Final = re.compile(r"Code: (\d+)\. ((?:.|\n)*)")
_UNKNOWN_SETTING: Final = 115
_UNKNOWN_ERROR: Final = 1002

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

    It does one thing at a time: nothing else runs while a stream or insert is open. Every method
    may raise ``EngineError``.
    """

    def __init__(self, path: str) -> None:
        self._settings: dict[str, str] = {}
        try:
            self._chdb = chdb.connect(path)
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
        try:
            handle = self._chdb.send_insert(f"INSERT INTO {table} ({columns})", "Native")
        except Exception as error:  # as above
            raise EngineError.of(error) from error
        return Insert(handle)

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
    """An insert that is under way."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def append(self, native: bytes) -> None:
        """Hand over one block."""
        try:
            self._handle.append(native)
        except Exception as error:  # as above
            raise EngineError.of(error) from error

    def finish(self) -> None:
        """Commit; when this returns the rows are stored."""
        try:
            self._handle.finish()
        except Exception as error:  # as above
            raise EngineError.of(error) from error

    def cancel(self) -> None:
        """Give up; harmless after ``finish``."""
        try:
            self._handle.cancel()
        except Exception as error:  # as above
            raise EngineError.of(error) from error


def identifier(name: str) -> str:
    """``name`` quoted as an identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def literal(value: str) -> str:
    """``value`` quoted as a string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
