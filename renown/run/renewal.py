"""Keeping the embedded broker's memory bounded: now and then it forgets what everybody has read.

It has no retention. Once it holds more than a limit, everything in the stack that publishes is
stopped for some seconds (SIGSTOP), the workers read and store what is there, and then every record
is forgotten. Offsets go on, and nobody has to read anything again.

  1. agents and monitor stop;
  2. the score workers are asked for checkpoints, and both groups commit the ends of all they read;
  3. the score workers stop too, and nothing has moved since;
  4. the broker forgets;
  5. everything goes on.

Somebody else who publishes (``renown replay`` in another terminal) keeps step 3 from being true:
then nothing is forgotten now, and it is tried again later. A record that arrives within the
milliseconds of step 4 would be forgotten unread; that is looked for and told.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from kafka.errors import KafkaError

from config.errors import RenownError
from config.settings import Settings
from renown.embedded.forgetting import forget
from renown.lag import GroupOffsets, Offsets, behind
from renown.run.once import Completion
from renown.run.supervision import resident_bytes
from schemas.topics import SOURCE_TOPICS
from streams.engine.checkpoint_files import ASKED
from streams.groups import SCORE_GROUP, SCORE_TOPICS, SINK_GROUP, SINK_TOPICS

FORGOTTEN: Final = tuple({*SCORE_TOPICS, *SINK_TOPICS})
"""Not the changelogs, which are small and needed, nor facts, which nobody has stored. A
reader that begins with ``scores`` later finds only what came since: older ones are in ClickHouse.
"""

_LOOK_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 20.0
_STILL_SECONDS: Final = 0.2
_GRACE_SECONDS: Final = 1.0
"""After it, what our own publishers had under way has arrived."""
_AGAIN_SECONDS: Final = 60.0
_LONGEST_PAUSE_SECONDS: Final = 1_800.0

Say = Callable[[str], None]


class Renewal:
    """Watches the memory of the broker with process id ``broker``, and has it forget.

    ``limit``: bytes of resident memory. ``publishers`` and ``scorers`` give the process ids of what
    publishes from outside of the workers, and of the score workers.
    """

    def __init__(
        self,
        settings: Settings,
        broker: int,
        limit: int,
        publishers: Callable[[], Iterable[int]],
        scorers: Callable[[], Iterable[int]],
        say: Say,
    ) -> None:
        self._settings, self._broker, self._limit = settings, broker, limit
        self._publishers, self._scorers = publishers, scorers
        self._say = say
        self._not_before = 0.0
        self._pause = _AGAIN_SECONDS

    def run_due(self) -> None:
        """Have it forget if it is time; takes up to 20 s then."""
        held = resident_bytes(self._broker) or 0
        if held < self._limit or time.monotonic() < self._not_before:
            return
        self._not_before = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        try:
            self._renew(held)
        except (RenownError, KafkaError) as error:
            self._say(f"broker      may have forgotten only a part, trying again later: {error}")

    def _renew(self, held: int) -> None:
        began = time.monotonic()
        with (
            GroupOffsets(self._settings) as offsets,
            stopped(self._publishers()),
            checkpoints_asked(self._settings),
        ):
            if not self._drained(offsets):
                self._say(
                    f"broker      holds {held >> 20} MB and cannot forget now: somebody publishes, "
                    "or the workers are behind; trying again later"
                )
                return
            with stopped(self._scorers()):
                if not self._forget(offsets):
                    self._say("broker      somebody publishes: nothing is forgotten now")
                    return
        self._pause = _AGAIN_SECONDS
        left = (resident_bytes(self._broker) or 0) >> 20
        self._say(
            f"broker      forgot what everybody has read: {held >> 20} → {left} MB "
            f"in {time.monotonic() - began:.1f} s"
        )

    def _drained(self, offsets: GroupOffsets) -> bool:
        """Wait until everything published is durably read; False if that does not come to be."""
        began, published = time.monotonic(), None
        while (passed := time.monotonic() - began) < _PATIENCE_SECONDS:
            before = offsets.ends(FORGOTTEN)
            if passed > _GRACE_SECONDS:
                inputs = {tp: before[tp] for tp in offsets.partitions(SOURCE_TOPICS)}
                if published not in (None, inputs):
                    return False  # ours stand still, so this is somebody else's
                published = inputs
            if self._all_read(offsets, before):
                time.sleep(_STILL_SECONDS)
                return offsets.ends(FORGOTTEN) == before
            time.sleep(_LOOK_SECONDS)
        return False

    def _all_read(self, offsets: GroupOffsets, ends: Offsets) -> bool:
        scored, stored = offsets.committed(SCORE_GROUP), offsets.committed(SINK_GROUP)
        return not (
            behind(scored, ends, offsets.partitions(SCORE_TOPICS))
            or behind(stored, ends, offsets.partitions(SINK_TOPICS))
        )

    def _forget(self, offsets: GroupOffsets) -> bool:
        """With all of our own publishers standing still; False if something moved still."""
        # What a score worker had sent before it stopped may be on its way to the broker.
        time.sleep(_STILL_SECONDS)
        ends = offsets.ends(FORGOTTEN)
        time.sleep(_STILL_SECONDS)
        if offsets.ends(FORGOTTEN) != ends or not self._all_read(offsets, ends):
            return False
        # An end of 0: there is nothing, or nothing was written since it was forgotten.
        held = {tp: end for tp, end in ends.items() if end}
        forget(self._settings.kafka, [(tp.topic, tp.partition) for tp in held])
        for tp, lost in offsets.missing_from(held).items():
            self._say(
                f"broker      {lost} records came to {tp.topic} partition {tp.partition} while it "
                "forgot, and are lost: publish again what was published in this second (what "
                "arrived counts once)"
            )
        return True


def drain(settings: Settings, patience: float) -> int:
    """Wait until everything published is scored and stored, at most ``patience`` seconds.

    Returns how many records are still to be scored or stored then.
    """
    deadline = time.monotonic() + patience
    completion = Completion(settings)
    try:
        with checkpoints_asked(settings):
            while (left := sum(completion.remaining())) and time.monotonic() < deadline:
                time.sleep(_LOOK_SECONDS)
            return left
    finally:
        completion.close()


@contextmanager
def checkpoints_asked(settings: Settings) -> Iterator[None]:
    """Within it, workers that keep checkpoints in files do not wait for the next regular one."""
    folder = settings.checkpoint_dir
    if not folder:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ASKED).touch()
    try:
        yield
    finally:
        (folder / ASKED).unlink(missing_ok=True)


@contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """Let processes stand still meanwhile."""
    held = list(pids)
    try:
        for pid in held:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in held:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
