"""The rows of a frame as the windows take them."""

from schemas.frames import Frame
from streams.core.days import HOUR_MS
from streams.kernels.score_arrays import Columns


def rows_of(frame: Frame) -> Columns:
    """The columns that are counted; times become hours."""
    columns = frame.columns
    names = columns["target"]
    return Columns(
        names.data,
        names.places,
        columns["network"],
        columns["engager"],
        columns["at"] // HOUR_MS,
        columns["class"],
        columns["kind"],
        columns["weight"],
        columns["undo"],
    )
