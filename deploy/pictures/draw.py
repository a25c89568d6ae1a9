"""Draws a Grafana dashboard from real values into one picture, without Grafana.

    python deploy/pictures/draw.py --prometheus http://127.0.0.1:9090 \
        --dashboard deploy/grafana/dashboards/pipeline.json --minutes 10 \
        --out deploy/pictures/pipeline.png

Panels in SQL are asked at the ClickHouse of RENOWN_CLICKHOUSE or of ``--clickhouse``.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

if __package__ in (None, ""):  # run as a file: the project's packages lie two folders above
    sys.path.insert(0, str(Path(__file__).parents[2]))

from config.errors import RenownError, WrongUse
from config.settings import ClickHouseAddress, load_settings
from deploy.pictures.dashboard import Panel, legend_of, read_dashboard
from deploy.pictures.render import picture
from deploy.pictures.sources import (
    Named,
    Prometheus,
    Rows,
    Series,
    Span,
    Values,
    rows_of_sql,
    series_of_sql,
    with_variables,
)
from streams.sinks.client import Database

_FORMS: Final = (".png", ".svg")


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw; returns the exit code."""
    options = _options(arguments)
    try:
        return _run(options)
    except RenownError as error:
        sys.stderr.write(f"draw: {error}\n")
        return int(error.exit_code)


class Sources:
    """Answers a panel's queries."""

    def __init__(self, prometheus: str, clickhouse: str, variables: Mapping[str, str]) -> None:
        """Addresses; an empty one is missed only by a panel that needs it."""
        self._prometheus = Prometheus(prometheus) if prometheus else None
        self._database = Database(ClickHouseAddress.parse(clickhouse)) if clickhouse else None
        self._variables = variables

    def values(self, panel: Panel, span: Span) -> Values:
        """What a panel shows in ``span``; raises ``WrongUse`` if nobody can be asked."""
        found: list[Named] = []
        for target in panel.targets:
            query = with_variables(target.query, span, self._variables)
            if target.sql and panel.kind == "table":
                return arranged(panel, rows_of_sql(self._asked(), query))
            if target.sql:
                moment = None if panel.kind == "timeseries" else span.end
                series = series_of_sql(self._asked(), query, moment)
            elif self._prometheus is None:
                raise WrongUse(f"the panel {panel.title!r} needs --prometheus")
            elif target.instant or panel.kind == "table":
                series = self._prometheus.at(query, span.end)
            else:
                series = self._prometheus.during(query, span)
            labels = [each.labels for each in series]
            found += [
                Named(legend_of(target.legend, each.labels, labels, panel.title), each)
                for each in series
            ]
        if panel.kind == "table":
            return arranged(panel, _rows(found))
        return found

    def close(self) -> None:
        """Close the connection to ClickHouse."""
        if self._database:
            self._database.close()

    def _asked(self) -> Database:
        if self._database is None:
            raise WrongUse("a panel is in SQL: give --clickhouse, or set RENOWN_CLICKHOUSE")
        return self._database


def _run(options: argparse.Namespace) -> int:
    outs = [Path(out) for out in options.out]
    for out in outs:
        if out.suffix not in _FORMS:
            raise WrongUse(f"{out} is neither .png nor .svg")
        if not out.parent.is_dir():
            raise WrongUse(f"cannot write {out}: there is no folder {out.parent}")
    dashboard = read_dashboard(Path(options.dashboard))
    variables = {**dashboard.variables, **dict(_pair(text) for text in options.variable)}
    end = options.at or time.time()
    span = Span(end - 60 * options.minutes, end)
    clickhouse = options.clickhouse or load_settings().clickhouse.get_secret_value()
    sources = Sources(options.prometheus, clickhouse, variables)
    wanted = [p for p in dashboard.panels if not options.only or p.title in options.only]
    if not wanted:
        raise WrongUse(f"no panel of {options.dashboard} is called {' or '.join(options.only)}")
    try:
        panels = [(panel, sources.values(panel, span)) for panel in wanted]
    finally:
        sources.close()
    picture(options.title or dashboard.title, panels, span, outs)
    empty = [panel.title for panel, values in panels if panel.targets and not _any(values)]
    sys.stdout.write(f"{len(panels)} panels in {', '.join(map(str, outs))}\n")
    if empty:
        sys.stderr.write(f"without data: {', '.join(empty)}\n")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dashboard", required=True, help="JSON as Grafana exports it")
    parser.add_argument(
        "--out", required=True, action="append", help=".png or .svg; may be repeated"
    )
    parser.add_argument("--prometheus", default="", help="like http://127.0.0.1:9090")
    parser.add_argument("--clickhouse", default="", help="like clickhouse://user@host:9000/db")
    parser.add_argument("--minutes", type=float, default=10, help="how far back (10)")
    parser.add_argument("--at", type=float, help="end in seconds since 1970 (now)")
    parser.add_argument("--only", action="append", default=[], help="title of a panel to draw")
    parser.add_argument("--variable", action="append", default=[], help="NAME=VALUE")
    parser.add_argument("--title", default="", help="instead of the dashboard's own")
    return parser.parse_args(arguments)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise WrongUse(f"--variable {text}: write it like NAME=VALUE")
    return name, value


def _any(values: Values) -> bool:
    return bool(values.rows if isinstance(values, Rows) else values)


def _rows(found: Sequence[Named]) -> Rows:
    """Series of one moment as a table: their labels, and the value."""
    names = sorted({name for each in found for name in each.series.labels} - {"__name__"})
    rows: list[tuple[Any, ...]] = [
        (*(each.series.labels.get(name, "") for name in names), _last(each.series))
        for each in found
    ]
    return Rows([*names, "Value"], rows)


def arranged(panel: Panel, table: Rows) -> Rows:
    """The table after the panel's ``organize``: columns left out, in order, with other names."""
    names = list(table.columns)
    keep = list(range(len(names)))
    for transformation in panel.transformations:
        if transformation.get("id") != "organize":
            continue
        options = transformation.get("options", {})
        excluded = options.get("excludeByName") or {}
        order = options.get("indexByName") or {}
        keep = [index for index in keep if not excluded.get(names[index])]
        keep.sort(key=lambda index: order.get(table.columns[index], len(order)))
        renamed = options.get("renameByName") or {}
        names = [renamed.get(name) or name for name in names]
    return Rows([names[i] for i in keep], [tuple(row[i] for i in keep) for row in table.rows])


def _last(series: Series) -> float:
    return series.values[-1]


if __name__ == "__main__":
    sys.exit(main())
