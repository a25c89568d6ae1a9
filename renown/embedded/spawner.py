"""Starts child processes from one thread that lives as long as this process does.

Linux sends the parent-death signal when the *thread* that started the child ends, not the process.
A child started from a short-lived thread (an executor, a test) would be killed with that thread.
"""

import os
import queue
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future

Start = Callable[[], "subprocess.Popen[bytes]"]

_lock = threading.Lock()
_tasks: "queue.SimpleQueue[tuple[Start, Future[subprocess.Popen[bytes]]]] | None" = None
_owner = 0


def spawn(start: Start) -> "subprocess.Popen[bytes]":
    """Call ``start`` in the long-lived thread; returns or raises what it does."""
    global _tasks, _owner
    with _lock:
        if _tasks is None or _owner != os.getpid():  # a forked child has not got the thread
            _tasks, _owner = queue.SimpleQueue(), os.getpid()
            threading.Thread(target=_serve, args=(_tasks,), name="spawner", daemon=True).start()
        tasks = _tasks
    done: Future[subprocess.Popen[bytes]] = Future()
    tasks.put((start, done))
    return done.result()


def _serve(
    tasks: "queue.SimpleQueue[tuple[Start, Future[subprocess.Popen[bytes]]]]",
) -> None:
    while True:
        start, done = tasks.get()
        try:
            done.set_result(start())
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            done.set_exception(error)
