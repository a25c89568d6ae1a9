"""Named places at which a worker can be made to die, for tests of what a crash leaves behind.

``RENOWN_CRASH_AT=<name>[:n]`` kills the process with SIGKILL when it reaches that place for the
n-th time (default: the first). Without the variable a place costs one comparison.
"""

import os
import signal
from enum import StrEnum, unique
from typing import Final

from config.errors import WrongUse

VARIABLE: Final = "RENOWN_CRASH_AT"


@unique
class Point(StrEnum):
    """The places, in the order in which a worker comes by."""

    RECOVERY_READ = "recovery.read"
    """The changelog of a partition is read, nothing is built."""
    RECOVERY_BUILT = "recovery.built"
    """The state is built; no fence says whose it is."""
    RECOVERY_FENCE_SENT = "recovery.fence_sent"
    RECOVERY_FENCE_ACKED = "recovery.fence_acked"
    RECOVERY_RESUMED = "recovery.resumed"
    """All states are there; no input has been read."""

    WEIGH_APPLIED = "weigh.applied"
    """A batch is applied, its frames are not sent."""
    WEIGH_FRAMES_SENT = "weigh.frames_sent"
    """They are sent, and not acknowledged."""
    WEIGH_DAY_TURNED = "weigh.day_turned"
    """A day's snapshot is made, and not kept."""
    WEIGH_DAY_KEPT = "weigh.day_kept"
    """It is kept; no source has gone on."""
    SCORE_APPLIED = "score.applied"
    """A batch of frames is applied."""
    SCORE_UPDATES_SENT = "score.updates_sent"
    """Updates are sent, and not acknowledged."""

    SCORE_DAY_SENT = "score.day_sent"
    """Tiers and the marker of a day are sent, and not acknowledged."""

    DERIVED_SENT = "checkpoint.derived_sent"
    SNAPSHOT_TAKEN = "checkpoint.snapshot_taken"
    DERIVED_ACKED = "checkpoint.derived_acked"
    PARTS_SENT = "checkpoint.parts_sent"
    PARTS_ACKED = "checkpoint.parts_acked"
    MARKER_SENT = "checkpoint.marker_sent"
    MARKER_ACKED = "checkpoint.marker_acked"
    OFFSETS_ANNOUNCED = "checkpoint.offsets_announced"
    """The group may commit the positions; perhaps it has not yet."""
    TRUNCATED = "checkpoint.truncated"
    """Checkpoints that nobody needs are deleted."""

    SINK_INSERTING = "sink.inserting"
    """Rows wait, none of them is stored."""
    SINK_DATA_INSERTED = "sink.data_inserted"
    """All rows are stored, the progress that says so is not."""
    SINK_PROGRESS_INSERTED = "sink.progress_inserted"
    SINK_COMMITTING = "sink.committing"
    """The group may not commit the offsets yet."""


class _Armed:
    """Where to die, and how many times more to pass."""

    def __init__(self, wanted: str) -> None:
        """Raises ``WrongUse`` if ``wanted`` is neither empty nor ``<name>[:n]``."""
        self.point, _, times = wanted.partition(":")
        self.left = int(times) if times.isdecimal() else 1
        known = [point.value for point in Point]
        if wanted and (self.point not in known or (times and not times.isdecimal())):
            raise WrongUse(f"{VARIABLE} must be <name>[:n], with a name of {', '.join(known)}")


_armed = _Armed(os.environ.get(VARIABLE, ""))


def reach(point: Point) -> None:
    """Die here if that was asked for."""
    if point != _armed.point:
        return
    _armed.left -= 1
    if _armed.left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
