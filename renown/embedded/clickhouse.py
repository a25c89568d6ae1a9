"""The embedded ClickHouse: chdb in a process of its own, reached like any ClickHouse server."""

import os
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from config.errors import Unreachable
from renown.embedded.clickhouse_server import IN_USE, READY
from renown.embedded.process import LOOPBACK, ChildProcess, require_free

_NAME = "the embedded ClickHouse"
_STOP_SECONDS = 30.0
_ROOT = Path(__file__).parents[2]


class EmbeddedClickHouse:
    """A ClickHouse on a loopback port while the context lasts.

    ``data_dir`` None: in a temporary folder that goes with it. ``port`` 0 takes any free one;
    ``setting`` is what an error tells the user to change.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        port: int = 0,
        setting: str = "another port",
        start_timeout: float = 60.0,
    ) -> None:
        self._data_dir = data_dir
        self._wanted = port
        self._setting = setting
        self._timeout = start_timeout
        self._temporary: Path | None = None
        self._child: ChildProcess | None = None
        self._port = 0

    @property
    def address(self) -> str:
        """``clickhouse://default@127.0.0.1:port/default``; only while started."""
        if not self._child:
            raise RuntimeError("the embedded ClickHouse is not started")
        return f"clickhouse://default@{LOOPBACK}:{self._port}/default"

    @property
    def pid(self) -> int | None:
        """Process id while started."""
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        """Whether its process is alive."""
        return self._child is not None and self._child.running

    def start(self) -> Self:
        """Start and wait until it listens; raises ``Unreachable``. Again: nothing."""
        if self._child:
            return self
        if find_spec("chdb") is None:
            raise Unreachable(
                f"{_NAME} is not installed: pip install 'renown[embedded]',"
                " or set RENOWN_CLICKHOUSE"
            )
        if self._wanted:
            require_free(self._wanted, _NAME, self._setting)
        folder = self._prepare()
        module = "renown.embedded.clickhouse_server"
        options = ["--path", str(folder), "--port", str(self._wanted)]
        if self._temporary:
            options.append("--temporary")
        child = ChildProcess(_NAME, [sys.executable, "-m", module, *options], _environment())
        try:
            child.start().wait_ready(lambda: _announced(child) > 0, self._timeout)
        except BaseException as error:
            self._child = child
            self.stop()
            if IN_USE in str(error):
                raise Unreachable(
                    f"{folder} is in use by another process: stop it (renown up?),"
                    " or choose another folder with RENOWN_DATA_DIR"
                ) from None
            raise
        self._child, self._port = child, _announced(child)
        return self

    def stop(self) -> None:
        """Let running statements end, close the database, remove a temporary folder."""
        child, self._child = self._child, None
        if child:
            child.stop(_STOP_SECONDS)
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> Path:
        if self._data_dir is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="renown-clickhouse-"))
            return self._temporary
        folder = self._data_dir.absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unreachable(
                f"cannot write to {folder} ({error.strerror}): choose another folder with"
                " RENOWN_DATA_DIR"
            ) from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Unreachable(
                f"cannot write to {folder}: choose another folder with RENOWN_DATA_DIR"
            )
        return folder


def _announced(child: ChildProcess) -> int:
    """The port that the server said it listens on, 0 while it has not."""
    for line in child.last_lines(100):
        if line.startswith(READY):
            return int(line.removeprefix(READY))
    return 0


def _environment() -> dict[str, str]:
    """Ours, in UTC (as the protocol says it is), with the project's packages to be found."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "TZ": "UTC", "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
