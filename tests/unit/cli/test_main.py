"""What ``main`` makes of what a command raises."""

import pytest

from config.errors import RenownError, Unreachable, WrongUse
from renown.cli import connections
from renown.cli.main import main


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command fails with ``error`` when it reads its settings."""

    def start() -> None:
        raise error

    monkeypatch.setattr(connections, "start", start)


@pytest.mark.parametrize(
    ("error", "code"),
    [(RenownError("it failed"), 1), (WrongUse("no such"), 2), (Unreachable("away"), 3)],
)
def test_our_errors_are_their_line_and_code(
    error: RenownError,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raising(error, monkeypatch)
    assert main(["migrate"]) == code
    assert capsys.readouterr().err == f"renown: {error}\n"


def test_an_unexpected_error_is_one_line_with_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(KeyError("two\nlines"), monkeypatch)
    assert main(["migrate"]) == 1
    line = capsys.readouterr().err
    assert line.startswith("renown: unexpected KeyError: ")
    assert "(test_main.py:" in line
    assert "RENOWN_LOG_LEVEL=DEBUG" in line
    assert line.count("\n") == 1


def test_the_traceback_is_shown_when_debugging(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(KeyError("x"), monkeypatch)
    monkeypatch.setenv("RENOWN_LOG_LEVEL", "DEBUG")
    assert main(["migrate"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(KeyboardInterrupt(), monkeypatch)
    assert main(["migrate"]) == 130
    assert capsys.readouterr().err == ""


def test_help_names_every_command_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2].partition("Examples:")[0]
    names = {line.split()[0] for line in listed.splitlines() if line.strip()}
    assert {"demo", "up", "replay", "worker", "migrate", "show", "query"} <= names
    assert {"audit", "dead-letters", "doctor"} <= names
    assert "..." not in listed
