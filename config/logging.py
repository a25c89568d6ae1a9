"""How a process logs: text for people or one JSON object a line, always to stderr."""

import json
import logging
import sys
from datetime import UTC, datetime

from config.settings import Settings

_LIBRARIES = ("aiokafka", "asyncio", "faust", "kafka", "mode")
_TELLS_TRACEBACKS = "clickhouse_driver"
"""It logs each refused connection with a traceback; our own errors tell the same in one line."""
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
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    quiet = dict.fromkeys(_LIBRARIES, logging.WARNING if libraries else _SILENT)
    for name, level in {**quiet, _TELLS_TRACEBACKS: _SILENT}.items():
        debugging = settings.log_level == "DEBUG"
        logging.getLogger(name).setLevel(logging.NOTSET if debugging else level)
