"""How a process logs: text for people or one JSON object a line, always to stderr."""

import json
import logging
import math
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from config.settings import ClickHouseAddress, Settings

log = logging.getLogger("renown.process")

CLIENT_LOGGER = "renown.librdkafka"
"""Where the workers' native Kafka client logs."""
_LIBRARIES = ("aiokafka", "asyncio", "faust", "kafka", "mode")
_TELLS_TRACEBACKS = "clickhouse_driver"
"""It logs each refused connection with a traceback; our own errors tell the same in one line."""
_REPEAT_SECONDS = 10.0
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_HIDDEN = "(hidden)"
_SHORTEST_SECRET = 4
"""Characters; a shorter one would be found in every other word."""
_SILENT = logging.CRITICAL + 1
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class TextFormatter(logging.Formatter):
    """Lines for people, in which no secret stands, whatever a library logs of its settings."""

    def __init__(self, format: str = _TEXT, secrets: Iterable[str] = ()) -> None:
        super().__init__(format)
        self.hide = _hider(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The record without secrets."""
        return self.hide(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line; what a caller gives as ``extra`` becomes fields of its own.

    Pure ASCII, so that it can be parsed whatever the encoding of stderr is.
    """

    def __init__(self, job: str = "renown", secrets: Iterable[str] = ()) -> None:
        """``job``: what this process does, as in its metrics."""
        super().__init__()
        self._job = job
        self.hide = _hider(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, without a line break inside."""
        fields: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "job": self._job,
            "pid": record.process,
            "logger": record.name,
            "message": self.hide(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _OWN_FIELDS:
                fields.setdefault(name, self._plain(value))
        if record.exc_info:
            fields["traceback"] = self.hide(self.formatException(record.exc_info))
        return json.dumps(fields)

    def _plain(self, value: object) -> object:
        """What JSON can hold, else the text of it."""
        if value is None or isinstance(value, int):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        return self.hide(str(value))


def _hider(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that takes secrets out of a text, as they may be spelt: plainly, in JSON ..."""
    spelt = {
        spelling
        for secret in secrets
        if len(secret) >= _SHORTEST_SECRET
        for spelling in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret, ""))
    }
    longest_first = sorted(spelt, key=len, reverse=True)

    def hide(text: str) -> str:
        for spelling in longest_first:
            text = text.replace(spelling, _HIDDEN)
        return text

    return hide


class RepeatFilter(logging.Filter):
    """Lets a library say the same at most once in ``seconds``, with how often it said it since.

    While a broker is away the Kafka clients tell each attempt, many times a second.
    """

    def __init__(self, seconds: float, libraries: tuple[str, ...]) -> None:
        super().__init__()
        self._seconds = seconds
        self._libraries = libraries
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether ``record`` may be said now."""
        if not record.name.startswith(self._libraries):
            return True
        key = record.name, str(record.msg)
        at, kept_back = self._said.get(key, (-self._seconds, 0))
        if record.created - at < self._seconds:
            self._said[key] = at, kept_back + 1
            return False
        self._said[key] = record.created, 0
        if kept_back:
            record.msg = f"{record.getMessage()} (and {kept_back} times like this)"
            record.args = ()
        return True


def configure_logging(settings: Settings, *, job: str = "renown", libraries: bool = True) -> None:
    """Send this process's log to stderr as the settings say; may be called again.

    The Kafka and Faust libraries tell every reconnect at INFO: below WARNING they are heard only
    at level DEBUG. ``libraries`` false: only there are they heard at all, as in a command that
    tells its errors in one line. ``job``: what this process does, a field of each JSON line.
    """
    handler = logging.StreamHandler(sys.stderr)
    secrets = _secrets(settings)
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter(job, secrets))
        # What Python itself would write to stderr as plain text.
        logging.captureWarnings(capture=True)
        threading.excepthook = _log_uncaught
    else:
        handler.setFormatter(TextFormatter(secrets=secrets))
    handler.addFilter(RepeatFilter(_REPEAT_SECONDS, (*_LIBRARIES, CLIENT_LOGGER)))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    quiet = dict.fromkeys(_LIBRARIES, logging.WARNING if libraries else _SILENT)
    for name, level in {**quiet, _TELLS_TRACEBACKS: _SILENT}.items():
        debugging = settings.log_level == "DEBUG"
        logging.getLogger(name).setLevel(logging.NOTSET if debugging else level)


def last_words(text: str, error: BaseException | None = None) -> str:
    """What a process that ends now writes to stderr: one line, in the format of its log.

    Made without the locks of the log, which a thread that hangs may hold. The traceback of
    ``error``, if one is given, is part of the JSON or stands before the text.
    """
    trace = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("renown", logging.CRITICAL, "", 0, text, None, trace)
    traced = f"{logging.Formatter().formatException(trace)}\n" if trace else ""
    line = f"{traced}renown: {text}"
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonFormatter):
            return handler.formatter.format(record)
        if isinstance(handler.formatter, TextFormatter):
            line = handler.formatter.hide(line)
    return line


def _secrets(settings: Settings) -> list[str]:
    """Every secret of the settings, the password in the URL of ClickHouse apart from the rest."""
    url = settings.clickhouse.get_secret_value()
    database = [ClickHouseAddress.parse(url).password] if url else []
    return [settings.kafka_password.get_secret_value(), *database]


def _log_uncaught(uncaught: Any) -> None:
    """As ``threading.excepthook``: what ended a thread."""
    error = uncaught.exc_value
    trace = (uncaught.exc_type, error, uncaught.exc_traceback)
    thread = uncaught.thread.name if uncaught.thread else "?"
    log.critical("thread %s ended: %s", thread, error, exc_info=trace)
