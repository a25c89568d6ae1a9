"""A row of numbers as a row of blocks."""

from collections.abc import Sequence
from typing import Final

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_PLAIN: Final = "_.-=+*%#"
"""For encodings that have no blocks."""


def sparkline(values: Sequence[float], encoding: str | None) -> str:
    """One character a value, the lowest of them the lowest; in the middle if all are equal."""
    marks = _BLOCKS if _can_show(_BLOCKS, encoding) else _PLAIN
    if not values:
        return ""
    low, high = min(values), max(values)
    if low == high:
        return marks[3] * len(values)
    top = len(marks) - 1
    return "".join(marks[round((value - low) / (high - low) * top)] for value in values)


def _can_show(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
