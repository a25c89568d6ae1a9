"""Fail-stop: an unexpected error ends the process, and the last checkpoint makes that safe."""

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from config.errors import ExitCode
from config.logging import last_words
from streams.engine.pulse import Pulse, clock

log = logging.getLogger("renown.failstop")

STALL_CHECK_SECONDS = 0.25
_AGAIN = (
    "; start it again, it goes on from its checkpoint (RENOWN_LOG_LEVEL=DEBUG shows the traceback)"
)
_SESSIONS_TO_STOP = 6.0
"""Group sessions in which a process that was told to end must have ended."""
_WORDS_SECONDS = 5.0
"""How long saying why may take: whoever reads stderr may have stopped to read."""


def fail_stop(
    what: str, error: BaseException | None = None, *, code: ExitCode = ExitCode.FAILED
) -> None:
    """End the process at once. Whatever was not checkpointed is done again by the next owner."""
    in_any_case = threading.Timer(_WORDS_SECONDS, os._exit, (code,))
    in_any_case.daemon = True
    in_any_case.start()
    debugging = log.isEnabledFor(logging.DEBUG)
    detail = f": {type(error).__name__}: {error}{_innermost(error)}" if error is not None else ""
    again = "" if code is ExitCode.WRONG_USE else _AGAIN
    line = last_words(f"worker stopped: {what}{detail}{again}", error if debugging else None)
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
    os._exit(code)


def _innermost(error: BaseException | None) -> str:
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def exit_when_stalled(session_seconds: float, pulse: Pulse) -> None:
    """Watch, from a thread, for a standstill of the whole process or of its event loop.

    After a standstill of the process (a suspended machine, SIGSTOP) longer than its group session
    others may own the partitions, and this process cannot know: it exits before it does anything
    else. A hung event loop is worse: the session goes on in the Kafka client's thread, so nobody
    would take the partitions over.
    """

    def watch() -> None:
        last = clock()
        while True:
            time.sleep(STALL_CHECK_SECONDS)
            now = clock()
            if reason := standstill(now - last, session_seconds, pulse):
                fail_stop(reason)
            last = now

    threading.Thread(target=watch, name="stall-watch", daemon=True).start()


def standstill(asleep: float, session_seconds: float, pulse: Pulse) -> str:
    """Why this process must end after it slept for ``asleep`` seconds; nothing if it need not."""
    if asleep > session_seconds:
        return f"it stood still for {asleep:.0f} s, longer than its session in the group"
    if (silent := pulse.silent()) > pulse.hung_after:
        return f"its event loop has hung for {silent:.0f} s"
    return ""


def exit_when_stopping_hangs(session_seconds: float, silent: Callable[[], float]) -> None:
    """Watch, from a thread, over a process that was told to end.

    ``silent``: seconds for which no broker has answered. Without a broker nothing can be kept any
    more, and the clients would go on trying for minutes.
    """

    def watch() -> None:
        began = clock()
        while not (reason := stopping_hangs(clock() - began, session_seconds, silent())):
            time.sleep(STALL_CHECK_SECONDS)
        fail_stop(reason)

    threading.Thread(target=watch, name="stop-watch", daemon=True).start()


def stopping_hangs(stopping: float, session_seconds: float, silent: float) -> str:
    """Why a process that has been stopping for a while must not wait; nothing if it may."""
    if stopping > _SESSIONS_TO_STOP * session_seconds:
        return f"it was told to end {stopping:.0f} s ago"
    if stopping > session_seconds and silent > session_seconds:
        return f"it was told to end, and no broker has answered for {silent:.0f} s"
    return ""
