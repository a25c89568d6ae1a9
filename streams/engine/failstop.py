"""Fail-stop: an unexpected error ends the process, and the last checkpoint makes that safe."""

import logging
import os
import sys
import threading
import time
import traceback
from pathlib import Path

log = logging.getLogger("renown.failstop")

STALL_CHECK_SECONDS = 0.25


def fail_stop(what: str, error: BaseException | None = None) -> None:
    """End the process at once. Whatever was not checkpointed is done again by the next owner."""
    if error is not None and log.isEnabledFor(logging.DEBUG):
        traceback.print_exception(error)
    where = _innermost(error)
    detail = f": {type(error).__name__}: {error}{where}" if error is not None else ""
    sys.stderr.write(
        f"renown: worker stopped: {what}{detail}; start it again, it goes on from its checkpoint "
        "(RENOWN_LOG_LEVEL=DEBUG shows the traceback)\n"
    )
    sys.stderr.flush()
    os._exit(1)


def _clock() -> float:
    # Unlike the monotonic clock this one goes on while a machine is suspended (Linux only).
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


def _innermost(error: BaseException | None) -> str:
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def exit_when_stalled(session_seconds: float) -> None:
    """Watch, from a thread, for a standstill of the whole process longer than its group session.

    After such a standstill (a suspended machine, SIGSTOP) others may own the partitions, and this
    process cannot know: it exits before it does anything else.
    """

    def watch() -> None:
        last = _clock()
        while True:
            time.sleep(STALL_CHECK_SECONDS)
            now = _clock()
            if now - last > session_seconds:
                fail_stop(
                    f"it stood still for {now - last:.0f} s, longer than its session in the group"
                )
            last = now

    threading.Thread(target=watch, name="stall-watch", daemon=True).start()
