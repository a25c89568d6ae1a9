"""Which statements are inserts of blocks, which give rows to stream."""

import pytest

from renown.embedded.bridge.statements import (
    InsertOfBlocks,
    gives_rows,
    insert_of_blocks,
    without_comments,
    without_format,
)


@pytest.mark.parametrize(
    ("text", "insert"),
    [
        ("INSERT INTO t VALUES", InsertOfBlocks("t", None)),
        ('insert into table d.t (a, `b c`, "e") values', InsertOfBlocks("d.t", ["a", "b c", "e"])),
        ("INSERT INTO `my db`.`t-1` FORMAT Native", InsertOfBlocks("`my db`.`t-1`", None)),
        ("INSERT INTO t\n(\na,\nb\n)\nVALUES", InsertOfBlocks("t", ["a", "b"])),
        ("INSERT INTO t VALUES (1, 2)", None),
        ("INSERT INTO t (a) SELECT 1", None),
        ("SELECT 'INSERT INTO t VALUES'", None),
        ("CREATE TABLE values (a UInt8)", None),
    ],
)  # fmt: skip
def test_inserts_of_blocks(text: str, insert: InsertOfBlocks | None) -> None:
    assert insert_of_blocks(text) == insert


@pytest.mark.parametrize("text", ["SELECT 1", "with 1 as x select x", "((select 1))"])
def test_queries_with_rows(text: str) -> None:
    assert gives_rows(text)


@pytest.mark.parametrize("text", ["SHOW TABLES", "CREATE VIEW v AS SELECT 1", "EXPLAIN SELECT 1"])
def test_other_statements(text: str) -> None:
    assert not gives_rows(text)


def test_what_surrounds_a_statement_is_dropped() -> None:
    assert without_comments("  -- why\n/* how\n */ SELECT 1 ; \n") == "SELECT 1"
    assert without_format("SELECT 1 FORMAT Native") == "SELECT 1"
