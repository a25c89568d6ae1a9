"""How things look: letters, colours, and a value as text in its colour."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from deploy.pictures import units
from deploy.pictures.dashboard import Field

DOTS: Final = 100.0
SHARPNESS: Final = 170.0
"""Dots per inch of a PNG; the layout counts a hundred."""
SMALL, NORMAL, LARGE = 8.0, 9.5, 13.0
INK, FAINT, LINE = "#24292f", "#6a737d", "#e4e7eb"
PALETTE: Final = (
    "#3b7dd8", "#e8883a", "#3f9e5b", "#8e63c7", "#d64f5c", "#19a0a8", "#b7950b", "#8a6d5c",
    "#5b6f8f", "#c85fa5",
)  # fmt: skip
_NAMED: Final = {
    "green": "#3f9e5b", "red": "#d64f5c", "orange": "#e8883a", "yellow": "#c99a06",
    "blue": "#3b7dd8", "purple": "#8e63c7", "text": INK, "transparent": INK,
}  # fmt: skip


def reduced(values: Sequence[float], how: str) -> float:
    """One number for many, as Grafana calls it: lastNotNull, max, mean …; NaN if there is none."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return math.nan
    if how == "max":
        return max(known)
    if how == "min":
        return min(known)
    if how in ("sum", "mean"):
        return sum(known) / (len(known) if how == "mean" else 1)
    return known[0] if how in ("first", "firstNotNull") else known[-1]


def threshold_color(value: float, look: Field) -> str:
    """The colour of the highest threshold that ``value`` reaches; of text if there are none."""
    reached = [color for at, color in look.thresholds if value >= at]
    return color_of(reached[-1]) if reached else INK


def color_of(name: str) -> str:
    """A colour for a name or #rrggbb of Grafana."""
    if name.startswith("#"):
        return name
    return _NAMED.get(name.rpartition("-")[2], INK)


def shown(value: float, look: Field) -> tuple[str, str]:
    """A value's text and colour."""
    key = "null" if math.isnan(value) else f"{value:g}"
    text, color = look.mappings.get(key, ("", ""))
    text = text or units.text(value, look.unit, look.decimals)
    return text, color_of(color or look.color) if color or look.color else threshold_color(
        value, look
    )


@lru_cache(maxsize=4096)
def wide(text: str, size: float = SMALL, weight: str = "normal") -> float:
    """Width in pixels of a text as it is written."""
    font = FontProperties(size=size, weight=weight)
    points = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
    return float(points) * DOTS / 72


def title_wide(text: str) -> float:
    """Width in pixels of a panel's title."""
    return wide(text, NORMAL, "bold")
