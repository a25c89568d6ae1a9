"""Panels with their values as one picture, light and without ornament."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch

from deploy.pictures import units
from deploy.pictures.curves import draw_axes, draw_curves
from deploy.pictures.dashboard import Field, Panel
from deploy.pictures.layout import WIDTH, Box, column_widths, legend_lines, places, shortened
from deploy.pictures.sources import Named, Rows, Span, Values
from deploy.pictures.style import (
    DOTS,
    FAINT,
    INK,
    LARGE,
    LINE,
    NORMAL,
    PALETTE,
    SHARPNESS,
    SMALL,
    color_of,
    reduced,
    shown,
    title_wide,
    wide,
)

_MOST_ROWS_OF_A_LEGEND: Final = 3
_HEADER: Final = 64.0
"""A column's name may be cut to this width if its values are narrower."""


def picture(
    title: str, panels: Sequence[tuple[Panel, Values]], span: Span, out: Sequence[Path]
) -> None:
    """Draw the panels into files, whose names say as what: .png or .svg."""
    mpl.use("Agg")
    boxes, height = places([panel for panel, _ in panels])
    figure = Figure(figsize=(WIDTH / DOTS, height / DOTS), dpi=DOTS, facecolor="white")
    canvas = _Canvas(figure, height)
    canvas.write(12, 20, title, size=LARGE, weight="bold")
    canvas.write(WIDTH - 12, 20, _span_text(span), color=FAINT, align="right")
    for (panel, values), box in zip(panels, boxes, strict=True):
        _draw(canvas, panel, values, box, span)
    for path in out:
        # No date inside: the same values give the same file.
        nothing = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        with mpl.rc_context({"svg.hashsalt": "renown", "svg.fonttype": "none"}):
            figure.savefig(path, dpi=SHARPNESS, metadata=nothing)


class _Canvas:
    """The figure with pixels from the upper left corner."""

    def __init__(self, figure: Figure, height: float) -> None:
        self.figure, self._height = figure, height

    def axes(self, box: Box) -> Axes:
        bottom = 1 - (box.y + box.h) / self._height
        return self.figure.add_axes((box.x / WIDTH, bottom, box.w / WIDTH, box.h / self._height))

    def card(self, box: Box, tint: str = "") -> None:
        corner = (box.x / WIDTH, 1 - (box.y + box.h) / self._height)
        self.figure.add_artist(
            FancyBboxPatch(
                corner,
                box.w / WIDTH,
                box.h / self._height,
                boxstyle="round,pad=0,rounding_size=0.004",
                transform=self.figure.transFigure,
                mutation_aspect=WIDTH / self._height,
                facecolor=(tint, 0.13) if tint else "white",
                edgecolor=LINE,
                linewidth=1,
                zorder=-1,  # below the axes, whose order is 0
            )
        )

    def write(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = SMALL,
        color: str = INK,
        align: str = "left",
        weight: str = "normal",
    ) -> None:
        self.figure.text(
            x / WIDTH,
            1 - y / self._height,
            text.replace("$", r"\$"),
            size=size,
            color=color,
            ha=align,
            va="center",
            weight=weight,
        )

    def stroke(self, x: float, y: float, color: str) -> None:
        at = 1 - y / self._height
        self.figure.add_artist(
            Line2D([x / WIDTH, (x + 12) / WIDTH], [at, at], color=color, linewidth=2.4)
        )


def _draw(canvas: _Canvas, panel: Panel, values: Values, box: Box, span: Span) -> None:
    if panel.kind == "row":
        canvas.write(box.x + 2, box.y + box.h / 2, panel.title, size=NORMAL, weight="bold")
        return
    canvas.card(box, _tint(panel, values))
    canvas.write(
        box.x + 10,
        box.y + 14,
        shortened(panel.title, box.w - 20, title_wide),
        size=NORMAL,
        weight="bold",
    )
    inner = Box(box.x + 10, box.y + 28, box.w - 20, box.h - 36)
    if panel.kind == "text":
        lines = str(panel.options.get("content", "")).splitlines()
        for number, line in enumerate(lines[: int(inner.h / 16)]):
            canvas.write(inner.x, inner.y + 8 + 16 * number, shortened(line, inner.w, wide))
    elif not (values.rows if isinstance(values, Rows) else values):
        canvas.write(
            box.x + box.w / 2, inner.y + inner.h / 2, "no data", color=FAINT, align="center"
        )
    elif isinstance(values, Rows):
        _table(canvas, panel, values, inner)
    elif panel.kind == "timeseries":
        _lines(canvas, panel, values, inner, span)
    else:
        _numbers(canvas, panel, values, inner)


def _tint(panel: Panel, values: Values) -> str:
    """What colour a panel's ground has a touch of; empty for none."""
    if panel.options.get("colorMode") != "background" or isinstance(values, Rows) or not values:
        return ""
    value = reduced(values[0].series.values, _calc(panel))
    return shown(value, panel.look_of(values[0].name))[1]


def _calc(panel: Panel) -> str:
    calcs = panel.options.get("reduceOptions", {}).get("calcs") or ["lastNotNull"]
    return str(calcs[0])


def _numbers(canvas: _Canvas, panel: Panel, values: list[Named], box: Box) -> None:
    mode = panel.options.get("textMode", "auto")
    with_names = mode in ("value_and_name", "name") or (mode == "auto" and len(values) > 1)
    width = box.w / len(values)
    spark = panel.options.get("graphMode") == "area" and len(values[0].series.values) > 1
    for number, each in enumerate(values):
        look = panel.look_of(each.name)
        value = reduced(each.series.values, _calc(panel))
        text, color = shown(value, look)
        x, y = box.x + width * number, box.y + box.h * (0.36 if spark else 0.5)
        size = min(22.0, 1.15 * width / max(len(text), 3), box.h * (0.3 if spark else 0.42))
        up = 7 if with_names else 0
        canvas.write(
            x + width / 2, y - up, text, size=size, color=color, align="center", weight="bold"
        )
        if with_names:
            name = shortened(each.name, width, wide)
            canvas.write(x + width / 2, y + size * 0.9, name, color=FAINT, align="center")
        if spark:
            axes = canvas.axes(Box(x, box.y + box.h * 0.66, width, box.h * 0.34))
            axes.fill_between(each.series.times, each.series.values, color=color, alpha=0.15, lw=0)
            axes.plot(each.series.times, each.series.values, color=color, linewidth=1.2)
            axes.set_axis_off()
            axes.margins(x=0, y=0.1)


def _lines(canvas: _Canvas, panel: Panel, values: list[Named], box: Box, span: Span) -> None:
    colors = [
        color_of(look.color) if (look := panel.look_of(each.name)).color else PALETTE[n % 10]
        for n, each in enumerate(values)
    ]
    names = [shortened(_legend_name(panel, each), box.w - 30, wide) for each in values]
    hidden = panel.options.get("legend", {}).get("showLegend") is False
    most = 0 if hidden else min(_MOST_ROWS_OF_A_LEGEND, max(1, int(box.h / 60)))
    legend = legend_lines(names, box.w, most, wide)
    left = 58.0
    plot = Box(box.x + left, box.y + 4, box.w - left - 6, box.h - 26 - 16 * len(legend))
    axes = canvas.axes(plot)
    tops = draw_curves(axes, panel, values, colors, span)
    draw_axes(axes, panel.look, tops, plot, span, panel.custom)
    for row, line in enumerate(legend):
        y = box.y + box.h - 16 * (len(legend) - row) + 8
        for x, number in line:
            if number < 0:
                shown = sum(n >= 0 for each in legend for _, n in each)
                canvas.write(box.x + x, y, f"and {len(names) - shown} more", color=FAINT)
            else:
                canvas.stroke(box.x + x, y, colors[number])
                canvas.write(box.x + x + 16, y, names[number])


def _legend_name(panel: Panel, each: Named) -> str:
    calcs = panel.options.get("legend", {}).get("calcs") or []
    if not calcs:
        return each.name
    look = panel.look_of(each.name)
    value = units.text(reduced(each.series.values, calcs[0]), look.unit, look.decimals)
    return f"{each.name}  {value}"


def _table(canvas: _Canvas, panel: Panel, table: Rows, box: Box) -> None:
    columns, rows = table.columns, table.rows
    most = max(1, int(box.h / 17) - 1)
    texts = [
        [_cell(value, panel.look_of(name)) for name, value in zip(columns, row, strict=True)]
        for row in rows[:most]
    ]
    needs = [
        max(min(wide(name), _HEADER), *(wide(line[index][0]) for line in texts)) + 12
        for index, name in enumerate(columns)
    ]
    widths = column_widths(needs, box.w)
    if len(widths) < len(columns):
        more = f"+{len(columns) - len(widths)} columns"
        canvas.write(box.x + box.w, box.y - 14, more, color=FAINT, align="right")
    x = box.x
    for index, width in enumerate(widths):
        right = isinstance(rows[0][index], int | float)
        at, align = (x + width - 10, "right") if right else (x, "left")
        name = shortened(columns[index], width - 8, wide)
        canvas.write(at, box.y + 8, name, color=FAINT, align=align)
        for number, line in enumerate(texts):
            text, color = line[index]
            y = box.y + 8 + 17 * (number + 1)
            canvas.write(at, y, shortened(text, width - 8, wide), color=color, align=align)
        x += width


def _cell(value: Any, look: Field) -> tuple[str, str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return shown(float(value), look)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}", INK
    text, color = look.mappings.get(str(value), (str(value), ""))
    return text, color_of(color) if color else INK


def _span_text(span: Span) -> str:
    start, end = (datetime.fromtimestamp(at, UTC) for at in (span.start, span.end))
    return f"{start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"
