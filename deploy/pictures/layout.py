"""Where things stand in a picture, in pixels from its upper left corner; pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.pictures.dashboard import COLUMNS, Panel

WIDTH: Final = 1000.0
"""About the width at which a README shows it, so that its letters stay readable."""

HEAD: Final = 40.0
_CELL: Final = 34.0
_GAP: Final = 8.0
_EDGE: Final = 10.0
MARK: Final = 28.0
"""Width of the stroke before a legend's name and of the gap behind it."""

Measure = Callable[[str], float]
"""Width of a text in pixels."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: left and upper edge, width, height."""

    x: float
    y: float
    w: float
    h: float


def places(panels: Sequence[Panel]) -> tuple[list[Box], float]:
    """A box for each panel, and the height of the whole picture.

    Grid lines on which no panel stands take no room.
    """
    used = sorted({line for panel in panels for line in range(panel.y, panel.y + panel.h)})
    height_before = {line: number * _CELL for number, line in enumerate(used)}
    column = (WIDTH - 2 * _EDGE + _GAP) / COLUMNS
    boxes = [
        Box(
            _EDGE + panel.x * column,
            HEAD + height_before[panel.y],
            panel.w * column - _GAP,
            panel.h * _CELL - _GAP,
        )
        for panel in panels
        if panel.h > 0
    ]
    return boxes, HEAD + len(used) * _CELL + _EDGE - _GAP


def legend_lines(
    names: Sequence[str], width: float, most: int, measure: Measure
) -> list[list[tuple[float, int]]]:
    """Lines of a legend: (offset in pixels, number of the name); -1 says that more were left out.

    At most ``most`` lines of ``width``; a name that is wider has a line of its own.
    """
    lines: list[list[tuple[float, int]]] = []
    x = width
    for number, name in enumerate(names):
        needed = MARK + measure(name)
        if x + needed > width:
            if len(lines) == most:
                return _with_the_rest(lines, width, measure)
            lines.append([])
            x = 0.0
        lines[-1].append((x, number))
        x += needed
    return lines


def column_widths(needs: Sequence[float], width: float) -> list[float]:
    """Widths of a table's columns: as many from the left as there is room for; they share the rest.

    ``needs``: the width that each must have. The first is always shown.
    """
    shown: list[float] = []
    for need in needs:
        if shown and sum(shown) + need > width:
            break
        shown.append(min(need, width))
    over = (width - sum(shown)) / max(len(shown), 1)
    return [need + over for need in shown]


def shortened(text: str, width: float, measure: Measure) -> str:
    """``text``, cut so that it is no wider than ``width`` pixels; at least its first letter."""
    if measure(text) <= width:
        return text
    low, high = 1, len(text)
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if measure(text[:middle] + "…") <= width else (low, middle)
    return text[:low].rstrip() + "…"


def _with_the_rest(
    lines: list[list[tuple[float, int]]], width: float, measure: Measure
) -> list[list[tuple[float, int]]]:
    """The last names that leave no room for "and 12 more" give way to it."""
    if not lines:
        return lines
    last = lines[-1]
    x = 0.0
    while last:
        x = last.pop()[0]
        if x + measure("and 12 more") <= width:
            break
    last.append((x, -1))
    return lines
