"""The migration files: how they are found, split and what they may say."""

import re
from pathlib import Path

import pytest

from renown.audit_sql import audit_views
from schemas.model import load_model
from streams.sinks.migrate import MigrationError, load_migrations, split_statements


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("", []),
        (";;\n;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT 'a;b'; SELECT 2", ["SELECT 'a;b'", "SELECT 2"]),
        (r"SELECT 'a\';b'; SELECT 2", [r"SELECT 'a\';b'", "SELECT 2"]),
        ("SELECT 'it''s; one'; SELECT 2", ["SELECT 'it''s; one'", "SELECT 2"]),
        ("SELECT `a;b`, \"c;d\"; SELECT 2", ["SELECT `a;b`, \"c;d\"", "SELECT 2"]),
        ("-- one; two\nSELECT 1; -- end", ["SELECT 1"]),
        ("SELECT 1 /* a; 'b */ + 1; SELECT 2", ["SELECT 1   + 1", "SELECT 2"]),
        ("SELECT '-- no comment'; SELECT '/*'; SELECT 3 - -1 / 2",
         ["SELECT '-- no comment'", "SELECT '/*'", "SELECT 3 - -1 / 2"]),
        ("SELECT 1\n-- it's a comment\n, 2", ["SELECT 1\n \n, 2"]),
    ],
)  # fmt: skip
def test_statements_are_split_outside_texts_and_comments(sql: str, statements: list[str]) -> None:
    assert split_statements(sql) == statements


def test_every_statement_can_be_repeated() -> None:
    repeatable = re.compile(
        r"CREATE (TABLE IF NOT EXISTS|OR REPLACE VIEW) "
        r"|ALTER TABLE \w+ ADD COLUMN IF NOT EXISTS\s"
    )
    for migration in load_migrations():
        for statement in migration.statements:
            assert repeatable.match(statement), statement[:80]


def test_tables_views_and_columns_say_what_they_are() -> None:
    for migration in load_migrations():
        for statement in migration.statements:
            assert re.search(r"\nCOMMENT '[^']+'$", statement), statement[:80]


def test_the_audit_views_have_the_parameters_of_the_model() -> None:
    (audit,) = [m for m in load_migrations() if m.name == "0008_own_posts.sql"]
    assert audit.sql.endswith(audit_views(load_model(1)))


def test_numbers_have_no_gap(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_text("SELECT 1")
    (tmp_path / "0003_three.sql").write_text("SELECT 3")
    with pytest.raises(MigrationError, match=r"0003_three\.sql should have number 0002"):
        load_migrations(tmp_path)


def test_a_number_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_text("SELECT 1")
    (tmp_path / "0001_two.sql").write_text("SELECT 2")
    with pytest.raises(MigrationError, match="should have number 0002"):
        load_migrations(tmp_path)


def test_other_names_are_refused_other_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("notes")
    assert load_migrations(tmp_path) == []
    (tmp_path / "tables.sql").write_text("SELECT 1")
    with pytest.raises(MigrationError, match="not named like"):
        load_migrations(tmp_path)
