"""Runs a command that must not outlive the process that wanted it; started as a script.

``guard.py prctl PARENT -- COMMAND…``: Linux. Asks the kernel for SIGTERM at the parent's death,
then becomes the command. (A ``preexec_fn`` could do the same, but it runs Python between fork and
exec, which is unsafe in a process with threads.)

``guard.py pipe PARENT -- COMMAND…``: everywhere else. Stays beside the command and ends it when
standard input, whose other end only the parent holds, is closed.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 0.5


def die_with_parent(parent: int) -> None:
    """Linux: have this process, and what it becomes, sent SIGTERM when its parent dies."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # the parent died before the kernel was asked
        sys.exit(0)


def watch(parent: int, command: Sequence[str]) -> int:
    """Run ``command`` until it ends or the parent is gone; returns its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _frame: child.send_signal(number))
    while child.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], _LOOK_SECONDS)
        if os.getppid() != parent or (readable and not os.read(sys.stdin.fileno(), 1)):
            child.terminate()
            break
    return child.wait()


def main(arguments: Sequence[str]) -> int:
    """``prctl|pipe PARENT -- COMMAND…``."""
    way, parent, command = arguments[0], int(arguments[1]), list(arguments[3:])
    try:
        if way == "pipe":
            return watch(parent, command)
        die_with_parent(parent)
        os.execv(command[0], command)  # noqa: S606 (the command comes from our own process)
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
