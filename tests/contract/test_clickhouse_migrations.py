"""Migrations apply once and in order, and refuse a database that they do not fit."""

import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import schemas.clickhouse
from config.errors import ExitCode
from config.settings import ClickHouseAddress
from streams.sinks.client import Database
from streams.sinks.errors import Refused, Unavailable
from streams.sinks.migrate import (
    MigrationError,
    check_columns,
    check_migrated,
    load_migrations,
    migrate,
)
from streams.sinks.tables import TABLES
from tests.support.sink import fresh_address, fresh_database

NAMES = [migration.name for migration in load_migrations()]


@pytest.fixture
def db(clickhouse: str) -> Iterator[Database]:
    with fresh_database(clickhouse) as database:
        yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations that a test may change."""
    shutil.copytree(Path(schemas.clickhouse.__path__[0]), tmp_path / "migrations")
    return tmp_path / "migrations"


def test_a_missing_database_is_made_and_every_migration_applied_once(clickhouse: str) -> None:
    with Database(fresh_address(clickhouse)) as db:
        with pytest.raises(MigrationError, match=r"lacks 0001_tables\.sql and \d more"):
            check_migrated(db)
        assert [migration.name for migration in migrate(db)] == NAMES
        assert migrate(db) == []
        check_migrated(db)
        check_columns(db)
        rows = db.query("SELECT number, name FROM schema_migrations FINAL ORDER BY number")
        assert rows == list(enumerate(NAMES, 1))
        db.run(f"DROP DATABASE `{db.address.database}`")


def test_every_table_and_view_can_be_read(db: Database) -> None:
    names = {name for (name,) in db.query("SHOW TABLES")}
    assert names > {*TABLES, "interactions", "score_now", "leaderboard", "audit_differences"}
    for name in names:
        assert db.table(f"SELECT * FROM {name} LIMIT 1")[0], name


def test_an_edited_migration_is_refused(db: Database, folder: Path) -> None:
    with (folder / "0002_views.sql").open("a") as file:
        file.write("\n-- a second thought\n")
    with pytest.raises(MigrationError, match=r"0002_views\.sql was edited after it was applied"):
        migrate(db, folder)


def test_a_gap_in_what_is_applied_is_refused(db: Database) -> None:
    db.run("ALTER TABLE schema_migrations DELETE WHERE number = 2 SETTINGS mutations_sync = 2")
    with pytest.raises(MigrationError, match=r"has migration 0003_audit\.sql but not number 0002"):
        migrate(db)


def test_a_newer_database_is_refused(db: Database, folder: Path) -> None:
    newest = f"{len(NAMES) + 1:04}_later.sql"
    (folder / newest).write_text("CREATE OR REPLACE VIEW later AS SELECT 1")
    assert [migration.name for migration in migrate(db, folder)] == [newest]
    with pytest.raises(MigrationError, match=rf"{newest}, which this version of Renown does not"):
        migrate(db)


def test_a_migration_that_failed_half_way_is_applied_again(db: Database, folder: Path) -> None:
    file = folder / f"{len(NAMES) + 1:04}_later.sql"
    good = "CREATE OR REPLACE VIEW later AS SELECT 1;"
    file.write_text(good + "CREATE OR REPLACE VIEW bad AS SELECT nothing FROM nowhere")
    with pytest.raises(MigrationError, match=rf"migration {file.name}, statement 2: ClickHouse"):
        migrate(db, folder)
    file.write_text(good)
    assert len(migrate(db, folder)) == 1


def test_a_changed_table_is_noticed(db: Database) -> None:
    db.run("ALTER TABLE scores DROP COLUMN momentum")
    db.run("ALTER TABLE scores ADD COLUMN mood String")
    with pytest.raises(MigrationError, match=r"table scores of ClickHouse .* in momentum, mood"):
        check_columns(db)


def test_errors_are_one_line(db: Database) -> None:
    with pytest.raises(Refused, match=r"lacks a table: .* renown migrate makes ours") as caught:
        db.query("SELECT * FROM nowhere")
    assert "\n" not in str(caught.value)
    with pytest.raises(Refused, match="refuses: ") as caught:
        db.query("SELECT (")
    assert "\n" not in str(caught.value)
    assert db.query("SELECT 1") == [(1,)]


def test_an_absent_server_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    db = Database(ClickHouseAddress.parse(f"clickhouse://default@127.0.0.1:{port}/default"))
    started = time.monotonic()
    with pytest.raises(Unavailable, match=f"cannot reach ClickHouse at 127.0.0.1:{port}") as caught:
        migrate(db)
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert "\n" not in str(caught.value)
    assert time.monotonic() - started < 3


def test_a_server_that_does_not_answer_is_told_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        address = ClickHouseAddress.parse(f"clickhouse://default@127.0.0.1:{port}/default")
        started = time.monotonic()
        with pytest.raises(Unavailable, match="cannot reach ClickHouse"):
            Database(address, connect_seconds=0.5, answer_seconds=0.5).query("SELECT 1")
        assert time.monotonic() - started < 5
