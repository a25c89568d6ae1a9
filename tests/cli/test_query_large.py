"""``renown query`` and answers that do not fit on a screen."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from renown.embedded.clickhouse import EmbeddedClickHouse
from tests.support.command import Result, assert_last_line, renown

Run = Callable[..., Result]


@pytest.fixture
def run(embedded_clickhouse: EmbeddedClickHouse, tmp_path: Path) -> Run:
    return partial(renown, "query", cwd=tmp_path, clickhouse=embedded_clickhouse.address)


def test_a_table_ends_after_the_first_thousand_rows(run: Run) -> None:
    # A hundred billion rows: whoever read them all would not come back.
    result = run("SELECT number FROM numbers(100000000000)")
    assert result.code == 0, result
    assert result.out.splitlines()[-1].strip() == "999"
    assert "The first 1000 rows" in result.err


def test_a_table_of_just_a_thousand_rows_is_whole(run: Run) -> None:
    result = run("SELECT number FROM numbers(1000)")
    assert len(result.out.splitlines()) == 1001
    assert result.err == ""


def test_csv_has_all_rows(run: Run) -> None:
    lines = run("--csv", "SELECT number FROM numbers(20000)").out.splitlines()
    assert lines == ["number", *map(str, range(20_000))]


def test_an_error_after_the_first_rows_is_told(run: Run) -> None:
    sql = (
        "SELECT throwIf(number = 90000, 'far in') AS x FROM numbers(100000)"
        " SETTINGS max_block_size = 1000, max_threads = 1"
    )
    result = run("--csv", sql)
    assert_last_line(result, 2, "far in")
    assert 1 < len(result.out.splitlines()) < 100_000
