"""Curves and axes of a time series panel."""

import math
from datetime import UTC, datetime
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator

from deploy.pictures import units
from deploy.pictures.dashboard import Field, Panel
from deploy.pictures.layout import Box
from deploy.pictures.sources import Named, Span
from deploy.pictures.style import FAINT, LINE, SMALL, color_of


def draw_curves(
    axes: Axes, panel: Panel, values: list[Named], colors: list[str], span: Span
) -> list[float]:
    """Draw the series in their colours; returns all values that must be seen."""
    custom = panel.custom
    fill = float(custom.get("fillOpacity", 0)) / 100
    width = max(1.2, float(custom.get("lineWidth", 1)))
    style: Any = "steps-post" if custom.get("lineInterpolation") == "stepAfter" else "default"
    seen: list[float] = []
    if (custom.get("stacking") or {}).get("mode") in ("normal", "percent"):
        times = sorted({at for each in values for at in each.series.times})
        below = [0.0] * len(times)
        for each, color in zip(values, colors, strict=True):
            known = dict(zip(each.series.times, each.series.values, strict=True))
            added = [known.get(at, 0.0) for at in times]
            top = [b + (0 if math.isnan(a) else a) for a, b in zip(added, below, strict=True)]
            axes.fill_between(times, below, top, color=color, alpha=max(fill, 0.25), lw=0)
            axes.plot(times, top, color=color, linewidth=width)
            below = top
            seen += [0.0, *top]
        return seen
    for each, color in zip(values, colors, strict=True):
        times, points = each.series.times, each.series.values
        marker = "o" if len(points) == 1 else ""
        axes.plot(times, points, color=color, linewidth=width, drawstyle=style, marker=marker, ms=4)
        if fill:
            axes.fill_between(times, points, color=color, alpha=fill, lw=0)
        seen += [
            value
            for at, value in zip(times, points, strict=True)
            if span.start - 1 <= at <= span.end + 1 and math.isfinite(value)
        ]
    if (custom.get("thresholdsStyle") or {}).get("mode", "off") != "off":
        for at, color in panel.look.thresholds:
            if math.isfinite(at) and (not seen or at <= 2 * max(seen)):
                axes.axhline(at, color=color_of(color), linewidth=1, linestyle=(0, (4, 3)))
                seen.append(at)
    return seen


def draw_axes(
    axes: Axes, look: Field, seen: list[float], box: Box, span: Span, custom: Any
) -> None:
    """Round lines on both axes of a plot of the size of ``box``, and as much as was ``seen``."""
    low, high = min(seen, default=0.0), max(seen, default=1.0)
    low = look.low if look.low is not None else (0.0 if low >= 0 and low < 0.7 * high else low)
    high = look.high if look.high is not None else high
    if high <= low:
        low, high = (0.0, 1.0) if low == 0 else (min(low, 0.0), max(low, 0.0) or 1.0)
    axes.set_xlim(span.start, span.end)
    if (custom.get("scaleDistribution") or {}).get("type") == "log" and high > 0:
        axes.set_yscale("log")
    else:
        room = 0 if look.high is not None else 0.06 * (high - low)
        # A line at the lower edge would be half hidden.
        axes.set_ylim(low - (room if low < 0 else 0.015 * (high - low)), high + room)
        ticks = max(2, min(5, int(box.h / 34)))
        axes.yaxis.set_major_locator(MultipleLocator(units.tick_step(high - low, look.unit, ticks)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: units.text(v, look.unit)))
    step = units.tick_step(span.end - span.start, "s", max(2, int(box.w / 65)))
    axes.xaxis.set_major_locator(MultipleLocator(step))
    form = "%H:%M:%S" if step < 60 else ("%H:%M" if step < 86_400 else "%d %b")
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda at, _: f"{datetime.fromtimestamp(at, UTC):{form}}")
    )
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=FAINT, pad=4)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
