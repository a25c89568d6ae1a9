"""The numbered migrations of ClickHouse: what is applied, what is missing, and applying it."""

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from config.errors import RenownError
from streams.sinks.client import UNKNOWN_DATABASE, UNKNOWN_TABLE, Database
from streams.sinks.errors import Refused
from streams.sinks.tables import TABLES

_CREATE_JOURNAL: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations
(
    `number` UInt32 COMMENT 'number of the file',
    `name` String COMMENT 'name of the file',
    `sha256` String COMMENT 'hash of its bytes; an applied file must not be edited',
    `applied` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when'
)
ENGINE = ReplacingMergeTree
ORDER BY number
COMMENT 'Migrations applied to this database.'
"""

_PIECE: Final = re.compile(
    r"""
      '(?:[^'\\]|\\.|'')*'        # text
    | "(?:[^"\\]|\\.)*"           # quoted name
    | `(?:[^`\\]|\\.)*`           # quoted name
    | --[^\n]*                    # comment to the end of the line
    | /\*.*?\*/                   # comment
    | ;
    | [^'"`;/-]+ | .              # anything else
    """,
    re.VERBOSE | re.DOTALL,
)


class MigrationError(RenownError):
    """The database and the migrations of this version of Renown do not fit together."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file ``NNNN_name.sql``."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hash of the file."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The statements, without comments and without the semicolons."""
        return split_statements(self.sql)


def split_statements(sql: str) -> list[str]:
    """Split at semicolons that are not inside a text, a quoted name or a comment."""
    statements, current = [], ""
    for piece in _PIECE.findall(sql):
        if piece == ";":
            statements.append(current.strip())
            current = ""
        elif piece.startswith(("--", "/*")):
            current += " "
        else:
            current += piece
    statements.append(current.strip())
    return [statement for statement in statements if statement]


def load_migrations(folder: Path | None = None) -> list[Migration]:
    """The migrations of ``folder`` (default: those of Renown) by number.

    Raises ``MigrationError`` if a number is missing or used twice, or a name is no migration's.
    """
    root = folder or resources.files("schemas.clickhouse")
    found = []
    for file in root.iterdir():
        if not file.name.endswith(".sql"):
            continue
        match = re.fullmatch(r"(\d{4})_[a-z0-9_]+\.sql", file.name)
        if not match:
            raise MigrationError(f"{file} is not named like 0001_tables.sql: rename it")
        found.append(Migration(int(match[1]), file.name, file.read_text("utf-8")))
    found.sort(key=lambda migration: migration.number)
    for expected, migration in enumerate(found, 1):
        if migration.number != expected:
            raise MigrationError(
                f"{migration.name} should have number {expected:04}: "
                "migrations are numbered without gaps"
            )
    return found


def missing_migrations(db: Database, folder: Path | None = None) -> list[Migration]:
    """The migrations that ``db`` lacks, in order; all of them if it has none.

    Raises ``MigrationError`` if an applied one was edited, one in between is missing, or ``db``
    has one that this version of Renown does not know.
    """
    known = load_migrations(folder)
    try:
        rows = db.query("SELECT number, name, sha256 FROM schema_migrations FINAL ORDER BY number")
    except Refused as error:
        if error.code in (UNKNOWN_TABLE, UNKNOWN_DATABASE):
            return known
        raise
    _compare(known, rows, str(db.address))
    return known[len(rows) :]


def migrate(db: Database, folder: Path | None = None) -> list[Migration]:
    """Apply what is missing and return it; the database itself is made if need be.

    A migration that fails half-way is applied again from its beginning by the next run, so every
    statement must be one that can be repeated. Raises ``MigrationError`` as
    ``missing_migrations`` does, or naming the statement that was refused.
    """
    try:
        db.query("SELECT 1")
    except Refused as error:
        if error.code != UNKNOWN_DATABASE:
            raise
        db.create()
    missing = missing_migrations(db, folder)
    db.run(_CREATE_JOURNAL)
    for migration in missing:
        for number, statement in enumerate(migration.statements, 1):
            try:
                db.run(statement)
            except Refused as error:
                raise MigrationError(
                    f"migration {migration.name}, statement {number}: {error}"
                ) from error
        db.insert_lists(
            "schema_migrations",
            {
                "number": [migration.number],
                "name": [migration.name],
                "sha256": [migration.sha256],
            },
        )
    return missing


def check_migrated(db: Database) -> None:
    """Raise ``MigrationError`` unless every migration is applied."""
    if missing := missing_migrations(db):
        raise MigrationError(
            f"ClickHouse at {db.address} lacks {missing[0].name}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + ": run renown migrate"
        )


def check_columns(db: Database) -> None:
    """Raise ``MigrationError`` unless the tables have the columns that the sink writes.

    A native insert leaves out columns that the table does not know without a word, so a table that
    differs must be noticed before.
    """
    for table, wanted in TABLES.items():
        found = db.query(f"DESCRIBE TABLE {table}")
        types = {name: kind for name, kind, *_ in found}
        wrong = [name for name, kind in wanted.items() if types.get(name) != kind]
        # Columns with a default are the database's own business.
        wrong += [name for name, _, default, *_ in found if name not in wanted and not default]
        if wrong:
            raise MigrationError(
                f"table {table} of ClickHouse at {db.address} differs in {', '.join(wrong)}: "
                "it was changed by hand, restore it or use another database"
            )


def _compare(known: list[Migration], applied: list[tuple[int, str, str]], where: str) -> None:
    for position, (number, name, sha256) in enumerate(applied, 1):
        if number != position:
            raise MigrationError(
                f"ClickHouse at {where} has migration {name} but not number {position:04}: "
                "restore the row of schema_migrations or use another database"
            )
        if number > len(known):
            raise MigrationError(
                f"ClickHouse at {where} has migration {name}, which this version of Renown does "
                "not know: update Renown"
            )
        if sha256 != known[position - 1].sha256:
            raise MigrationError(
                f"migration {known[position - 1].name} was edited after it was applied to "
                f"ClickHouse at {where}: restore the file and add a new migration"
            )
