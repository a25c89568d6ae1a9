"""Errors of the driver become one line each that says what to do."""

from typing import Any

import pytest
from clickhouse_driver.errors import NetworkError, ServerException

from config.errors import ExitCode, WrongUse
from config.settings import ClickHouseAddress
from streams.sinks.client import Database
from streams.sinks.errors import Refused, Unavailable

ADDRESS = ClickHouseAddress.parse("clickhouse://ann:secret@db.example:9000/renown")


def failing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> Database:
    db = Database(ADDRESS)

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(db._client, "execute", fail)
    monkeypatch.setattr(db._client, "execute_iter", fail)
    return db


@pytest.mark.parametrize(
    "error",
    [
        NetworkError("Connection refused"),
        EOFError("Unexpected EOF while reading bytes"),
        BrokenPipeError(32, "Broken pipe"),
        TimeoutError("timed out"),
    ],
)
def test_an_absent_server(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        Unavailable, match=r"cannot reach ClickHouse at db\.example:9000/renown"
    ) as e:
        failing(error, monkeypatch).query("SELECT 1")
    assert e.value.exit_code is ExitCode.UNREACHABLE
    assert str(e.value).endswith("start it or correct RENOWN_CLICKHOUSE")


@pytest.mark.parametrize("code", [241, 242, 252, 999])
def test_a_server_that_cannot_just_now(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ServerException("DB::Exception: Too much.\nStack trace:\n0. main", code)
    with pytest.raises(Unavailable, match=r"too busy: Too much$"):
        failing(error, monkeypatch).run("SELECT 1")


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (81, "has no such database: run renown migrate"),
        (
            60,
            "lacks a table: SHOW TABLES lists those there are, renown migrate makes ours"
            " (No such thing)",
        ),
        (62, "refuses: No such thing"),
    ],
)
def test_a_server_that_says_no(code: int, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ServerException("DB::Exception: No such thing.", code)
    with pytest.raises(Refused) as caught:
        failing(error, monkeypatch).query("SELECT 1")
    assert str(caught.value) == f"ClickHouse at db.example:9000/renown {line}"
    assert (caught.value.code, caught.value.exit_code) == (code, ExitCode.FAILED)


def test_a_wrong_password_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ServerException("DB::Exception: ann: Authentication failed", 516)
    with pytest.raises(WrongUse, match="refuses user ann: correct RENOWN_CLICKHOUSE") as caught:
        failing(error, monkeypatch).query("SELECT 1")
    assert "secret" not in str(caught.value)


def test_a_long_message_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused) as caught:
        failing(ServerException("x" * 5000, 62), monkeypatch).query("SELECT 1")
    assert len(str(caught.value)) < 400
