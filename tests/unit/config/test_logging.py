"""Logs: text or JSON on stderr, one line a record, libraries muted."""

import json
import logging
from collections.abc import Iterator

import pytest

from config.logging import JsonFormatter, RepeatFilter, configure_logging
from config.settings import load_settings


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # basicConfig(force=True) would close those of the test runner
    levels = {name: logging.getLogger(name).level for name in ("kafka", "clickhouse_driver")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_json_record_is_one_line_with_its_extra_fields() -> None:
    record = logging.makeLogRecord(
        {"name": "renown.x", "levelname": "ERROR", "msg": "a\n%s", "args": ("b",), "lag": 7}
    )
    try:
        raise KeyError("gone")
    except KeyError as error:
        record.exc_info = (KeyError, error, error.__traceback__)
    line = JsonFormatter().format(record)
    fields = json.loads(line)
    assert "\n" not in line
    assert (fields["message"], fields["level"], fields["lag"]) == ("a\nb", "ERROR", 7)
    assert fields["traceback"].endswith("KeyError: 'gone'")


def test_text_goes_to_stderr_from_the_level_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(load_settings(log_level="INFO"))
    logging.getLogger("renown.x").info("seen")
    logging.getLogger("renown.x").debug("not seen")
    logging.getLogger("kafka.conn").info("reconnecting")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("INFO renown.x: seen\n")


def test_commands_hear_nothing_of_the_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(load_settings(), libraries=False)
    logging.getLogger("kafka.conn").error("refused")
    logging.getLogger("clickhouse_driver.connection").error("refused")
    assert capsys.readouterr().err == ""
    configure_logging(load_settings(log_level="DEBUG"), libraries=False)
    logging.getLogger("kafka.conn").error("refused")
    assert "refused" in capsys.readouterr().err


def test_a_library_says_the_same_once_in_a_while() -> None:
    said: list[str] = []
    filter_ = RepeatFilter(10.0, ("aiokafka",))
    for at, name in ((0, "aiokafka.conn"), (1, "aiokafka.conn"), (2, "renown"), (11, "aiokafka")):
        record = logging.LogRecord(name, logging.ERROR, "", 0, "away from %s", ("b",), None)
        record.created = float(at)
        if filter_.filter(record):
            said.append(f"{at} {record.getMessage()}")
    assert said == ["0 away from b", "2 away from b", "11 away from b"]
    late = logging.LogRecord("aiokafka.conn", logging.ERROR, "", 0, "away from %s", ("b",), None)
    late.created = 20.0
    assert filter_.filter(late)
    assert late.getMessage() == "away from b (and 1 times like this)"
