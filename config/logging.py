"""How a process logs: text for people or one JSON object a line, always to stderr."""

import json
import logging
import sys
from datetime import UTC, datetime

from config.settings import Settings

CLIENT_LOGGER = "renown.librdkafka"
"""Where the workers' native Kafka client logs."""
_LIBRARIES = ("aiokafka", "asyncio", "faust", "kafka", "mode")
_TELLS_TRACEBACKS = "clickhouse_driver"
"""It logs each refused connection with a traceback; our own errors tell the same in one line."""
_REPEAT_SECONDS = 10.0
_SILENT = logging.CRITICAL + 1
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line; what a caller gives as ``extra`` becomes fields of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, without a line break inside."""
        fields: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {k: v for k, v in vars(record).items() if k not in _OWN_FIELDS}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str)


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


def configure_logging(settings: Settings, *, libraries: bool = True) -> None:
    """Send this process's log to stderr as the settings say; may be called again.

    The Kafka and Faust libraries tell every reconnect at INFO: below WARNING they are heard only
    at level DEBUG. ``libraries`` false: only there are they heard at all, as in a command that
    tells its errors in one line.
    """
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(RepeatFilter(_REPEAT_SECONDS, (*_LIBRARIES, CLIENT_LOGGER)))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    quiet = dict.fromkeys(_LIBRARIES, logging.WARNING if libraries else _SILENT)
    for name, level in {**quiet, _TELLS_TRACEBACKS: _SILENT}.items():
        debugging = settings.log_level == "DEBUG"
        logging.getLogger(name).setLevel(logging.NOTSET if debugging else level)
