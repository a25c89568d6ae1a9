"""When a run that ends has ended: all that was published is applied, emitted and stored."""

import time
from collections.abc import Callable

from config.errors import RenownError
from config.settings import Settings
from renown.lag import GroupOffsets, behind
from streams.groups import SCORE_GROUP, SCORE_TOPICS, SINK_GROUP, SINK_TOPICS

_LOOK_SECONDS = 0.25
_NO_PROGRESS_SECONDS = 180.0


class Completion:
    """Compares the groups' committed offsets with the ends of their topics.

    Workers commit an offset only after everything that follows from it is acknowledged and the
    state is checkpointed. So: if the score group stands at the ends of its inputs, then ``scores``
    and ``weighed`` are complete, and if after that the sink group stands at the ends of what it
    reads, everything is stored.
    """

    def __init__(self, settings: Settings) -> None:
        self._offsets = GroupOffsets(settings)
        self._inputs = self._offsets.partitions(SCORE_TOPICS)
        self._outputs = self._offsets.partitions(SINK_TOPICS)

    def close(self) -> None:
        """Close the connections."""
        self._offsets.close()

    def remaining(self) -> tuple[int, int]:
        """Records still to be scored, and records still to be stored."""
        scored = self._offsets.committed(SCORE_GROUP)
        ends = self._offsets.ends({*SCORE_TOPICS, *SINK_TOPICS})
        to_score = behind(scored, ends, self._inputs)
        stored = self._offsets.committed(SINK_GROUP)
        return to_score, behind(stored, ends, self._outputs)

    def wait(
        self, playing: Callable[[], bool], meanwhile: Callable[[tuple[int, int]], None]
    ) -> None:
        """Return when nothing is played any more and nothing remains.

        ``meanwhile`` is told what remains, again and again, and may raise.

        Raises:
            RenownError: nothing moved for three minutes after the last record was played.
        """
        before, moved = (-1, -1), time.monotonic()
        while True:
            # Asked first: what was played before this moment is in the ends read after it.
            still = playing()
            now = self.remaining()
            meanwhile(now)
            if now == (0, 0) and not still:
                return
            if still or now != before:
                before, moved = now, time.monotonic()
            elif time.monotonic() - moved > _NO_PROGRESS_SECONDS:
                raise RenownError(
                    f"nothing moved for {_NO_PROGRESS_SECONDS:.0f} s with {now[0]} records to "
                    f"score and {now[1]} to store: see the workers' logs in the data folder"
                )
            time.sleep(_LOOK_SECONDS)
