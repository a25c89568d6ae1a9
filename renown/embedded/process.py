"""A supervised child process: started, waited for, stopped, and never left behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Self

from config.errors import Unreachable
from renown.embedded.spawner import spawn

LOOPBACK = "127.0.0.1"
_GUARD = str(Path(__file__).with_name("guard.py"))
_KEPT_LINES = 30
_PROBE_SECONDS = 0.02


class ChildProcess:
    """One child in its own process group (so Ctrl-C reaches only us), its last output kept."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        """``log``: a file that gets everything the child prints, added at its end."""
        self.name = name
        self._log = log
        self._command = list(command)
        self._environment = dict(os.environ if environment is None else environment)
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Process id, or None when it was not started."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether the child is alive."""
        return self._process is not None and self._process.poll() is None

    def last_lines(self, count: int = 5) -> list[str]:
        """The last non-empty lines that it printed, oldest first."""
        return list(self._lines)[-count:]

    def start(self) -> Self:
        """Start the child; raises ``Unreachable`` when the program cannot be run."""
        way = "prctl" if sys.platform == "linux" else "pipe"
        guard = [sys.executable, "-I", "-S", _GUARD, way, str(os.getpid()), "--"]
        try:
            process = spawn(
                lambda: subprocess.Popen(
                    guard + self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env=self._environment,
                    start_new_session=True,
                )
            )
        except OSError as error:
            raise Unreachable(f"{self.name} cannot be started: {error}") from None
        self._process = process
        self._reader = threading.Thread(
            target=self._read, args=(process,), name=f"{self.name} output", daemon=True
        )
        self._reader.start()
        return self

    def wait_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        """Ask ``ready`` until it says yes; raises ``Unreachable`` if the child ends or is late."""
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.running:
                raise Unreachable(f"{self.name} ended while starting: {self._said()}")
            if time.monotonic() > deadline:
                raise Unreachable(f"{self.name} was not ready within {timeout:g} s: {self._said()}")
            time.sleep(_PROBE_SECONDS)
        if not self.running:  # something else answered on its port
            raise Unreachable(f"{self.name} ended while starting: {self._said()}")

    def stop(self, patience: float = 10.0) -> None:
        """SIGTERM, and after ``patience`` seconds SIGKILL, to the child's whole group."""
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(patience)
            except (ProcessLookupError, PermissionError):
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
            break
        if self._reader:
            self._reader.join(1.0)
        for stream in (process.stdin, process.stdout):
            if stream and not (self._reader and self._reader.is_alive()):
                stream.close()

    def _said(self) -> str:
        if self._reader and not self.running:
            self._reader.join(1.0)
        return " | ".join(self.last_lines()) or "it printed nothing"

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        with self._log.open("ab") if self._log else nullcontext() as log:
            for line in process.stdout or ():
                if log:
                    log.write(line)
                    log.flush()
                if text := line.decode(errors="replace").strip():
                    self._lines.append(text)


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def require_free(port: int, name: str, setting: str) -> None:
    """Raise ``Unreachable`` naming ``port`` and ``setting`` when another program listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise Unreachable(
                f"port {port} on {LOOPBACK}, which {name} needs, cannot be used"
                f" ({error.strerror}): free it or choose another with {setting}"
            ) from None
