"""Where the values of a picture come from: the Prometheus HTTP API and ClickHouse."""

import json
import math
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from config.errors import Unreachable, WrongUse
from streams.sinks.client import Database

_ANSWER_SECONDS: Final = 30.0
_LARGEST_ANSWER: Final = 64 << 20
_POINTS: Final = 240
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
_MACRO: Final = re.compile(r"\$__(timeFilter_ms|timeFilter|timeInterval)\(([^()]+)\)")


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a picture shows, in seconds since 1970."""

    start: float
    end: float

    @property
    def step(self) -> int:
        """Seconds between two points."""
        return max(1, round((self.end - self.start) / _POINTS))


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one set of labels; a gap is a NaN."""

    labels: dict[str, str]
    times: list[float]
    values: list[float]


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer of a table."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Named:
    """A series with the name that its legend shows."""

    name: str
    series: Series


Values = list[Named] | Rows
"""What a panel shows."""


def with_variables(query: str, span: Span, variables: Mapping[str, str]) -> str:
    """The query with Grafana's variables filled in; one that nobody knows stays."""
    seconds = max(1, round(span.end - span.start))
    known = {
        **variables,
        "__interval": f"{span.step}s",
        "__interval_ms": str(span.step * 1000),
        "__interval_s": str(span.step),
        "__rate_interval": f"{max(4 * span.step, 30)}s",
        "__range": f"{seconds}s",
        "__range_s": str(seconds),
        "__fromTime": f"toDateTime({round(span.start)})",
        "__toTime": f"toDateTime({round(span.end)})",
    }

    def fill(found: re.Match[str]) -> str:
        value = known.get(found[1] or found[3])
        if value is not None and found[2] == "sqlstring":
            return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
        return found[0] if value is None else value

    def macro(found: re.Match[str]) -> str:
        column = found[2].strip()
        if found[1] == "timeInterval":
            return f"toStartOfInterval(toDateTime({column}), INTERVAL {span.step} SECOND)"
        return (
            f"{column} >= toDateTime({round(span.start)})"
            f" AND {column} <= toDateTime({round(span.end)})"
        )

    return _VARIABLE.sub(fill, _MACRO.sub(macro, query))


class Prometheus:
    """Asks a Prometheus; raises ``Unreachable`` if it is away, ``WrongUse`` if it says no."""

    def __init__(self, url: str) -> None:
        """``url``: like http://127.0.0.1:9090."""
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise WrongUse(f"{url} is no address: write it like http://127.0.0.1:9090")
        self._url = url.rstrip("/")

    def during(self, query: str, span: Span) -> list[Series]:
        """Values of ``query`` in each step of ``span``."""
        parameters = {"query": query, "start": span.start, "end": span.end, "step": span.step}
        result = self._ask("query_range", parameters)
        return [_series(found["metric"], found["values"], span.step) for found in result]

    def at(self, query: str, moment: float) -> list[Series]:
        """Values of ``query`` at ``moment``, one point each."""
        result = self._ask("query", {"query": query, "time": moment})
        return [_series(found["metric"], [found["value"]], 0) for found in result]

    def _ask(self, what: str, parameters: Mapping[str, object]) -> list[Any]:
        text = urllib.parse.urlencode({name: str(value) for name, value in parameters.items()})
        request = urllib.request.Request(  # noqa: S310 (http or https, see above)
            f"{self._url}/api/v1/{what}", data=text.encode()
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
                content = json.loads(answer.read(_LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                raise WrongUse(
                    f"Prometheus at {self._url} refuses {parameters['query']}: {_said(error)}"
                ) from error
        except (OSError, ValueError) as error:
            raise Unreachable(
                f"cannot ask Prometheus at {self._url} ({error}): start it"
            ) from error
        data = content["data"]
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        result: list[Any] = data["result"]
        return result


def series_of_sql(db: Database, sql: str, moment: float | None = None) -> list[Series]:
    """Series of rows whose first time is the x axis and whose numbers are the values.

    A column of text names the series, as Grafana reads it. ``moment``: of rows without a time;
    without it they raise ``WrongUse``.
    """
    columns, rows = db.table(sql)
    if not rows:
        return []
    times = [i for i, (_, kind) in enumerate(columns) if kind.startswith("Date")]
    if not times and moment is None:
        raise WrongUse(f"the SQL of a time series gives no time: {sql}")
    texts = [i for i, value in enumerate(rows[0]) if isinstance(value, str)]
    numbers = [i for i, value in enumerate(rows[0]) if isinstance(value, int | float)]
    found: dict[tuple[str, ...], Series] = {}
    for row in rows:
        for index in numbers:
            key = (columns[index][0], *(row[i] for i in texts))
            labels = {columns[i][0]: row[i] for i in texts} or {"__name__": columns[index][0]}
            series = found.setdefault(key, Series(labels, [], []))
            series.times.append(_utc(row[times[0]]) if times else moment or 0.0)
            series.values.append(float(row[index]))
    return list(found.values())


def rows_of_sql(db: Database, sql: str) -> Rows:
    """The answer as a table."""
    columns, rows = db.table(sql)
    return Rows([name for name, _ in columns], rows)


def _series(labels: dict[str, str], points: list[list[Any]], step: float) -> Series:
    times: list[float] = []
    values: list[float] = []
    for at, text in points:
        if times and step and at - times[-1] > 1.5 * step:
            times.append(times[-1] + step)
            values.append(math.nan)
        times.append(float(at))
        values.append(float(text))
    return Series(labels, times, values)


def _utc(moment: datetime) -> float:
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(1 << 16))["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return str(error.reason)
