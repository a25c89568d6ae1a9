"""Logs: text or JSON on stderr, one line a record, libraries muted."""

import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from config.logging import JsonFormatter, RepeatFilter, configure_logging, last_words
from config.settings import Settings, load_settings

PASSWORD = 'é"pass/word'


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # basicConfig(force=True) would close those of the test runner
    hook = threading.excepthook
    levels = {name: logging.getLogger(name).level for name in ("kafka", "clickhouse_driver")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    threading.excepthook = hook
    logging.captureWarnings(capture=False)
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


def settings_with_secrets(**others: object) -> Settings:
    url = "clickhouse://writer:open%20sesame@127.0.0.1/renown"
    return load_settings(kafka_password=PASSWORD, clickhouse=url, **others)


@pytest.mark.filterwarnings("default")
def test_json_tells_the_process_and_parses_whatever_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(settings_with_secrets(log_format="json"), job="renown-test")
    said = logging.getLogger("renown.x")
    said.warning(
        "one\ntwo\udc80 ünd", extra={"job": "other", "ratio": float("nan"), "of": {1: b"x"}}
    )
    warnings.warn("an old way", UserWarning, stacklevel=1)

    def fail() -> None:
        raise RuntimeError("gone")

    thread = threading.Thread(target=fail, name="helper")
    thread.start()
    thread.join()
    text = capsys.readouterr().err
    assert text.isascii()
    first, second, third = map(json.loads, text.splitlines())
    assert first["message"] == "one\ntwo\udc80 ünd"
    assert (first["job"], first["ratio"], first["of"]) == ("renown-test", "nan", "{1: b'x'}")
    assert first["pid"] == os.getpid()
    assert "an old way" in second["message"]
    assert third["message"] == "thread helper ended: gone"
    assert third["traceback"].endswith("RuntimeError: gone")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_is_said_not_even_by_a_library_that_tells_its_settings(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_with_secrets(log_format=log_format, log_level="DEBUG")
    configure_logging(settings)
    told = {"sasl_plain_password": PASSWORD}
    for library in ("kafka.admin", "aiokafka"):
        logging.getLogger(library).debug("configuration: %s", told, extra={"options": told})
    url = settings.clickhouse.get_secret_value()
    try:
        raise ValueError(f"{url} and {json.dumps(told)}")
    except ValueError as error:
        logging.getLogger("renown.x").exception("refused open sesame")
        print(last_words(f"cannot reach {url}", error), file=sys.stderr)
    text = capsys.readouterr().err
    for secret in ("pass/word", "pass%2Fword", "open sesame", "open%20sesame"):
        assert secret not in text
    assert text.count("(hidden)") >= 6
    if log_format == "json":
        assert len([json.loads(line) for line in text.splitlines()]) == 4


def test_last_words_in_text_are_one_line_unless_a_traceback_is_wanted() -> None:
    configure_logging(load_settings())
    assert last_words("no broker") == "renown: no broker"
    try:
        raise KeyError("k")
    except KeyError as error:
        traced = last_words("no broker", error).splitlines()
    assert traced[0].startswith("Traceback")
    assert traced[-1] == "renown: no broker"


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
