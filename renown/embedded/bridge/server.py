"""Listens on the loopback; one thread a client, since chdb blocks and lets go of the GIL."""

import logging
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from renown.embedded.bridge.engine import Connection
from renown.embedded.bridge.session import Session

_log = logging.getLogger(__name__)


class Server:
    """Serves a folder of data on ``127.0.0.1``; ``port`` 0 takes any free one."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._folder = folder
        self._keeper = Connection(folder)  # keeps the engine open between clients
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self._lock = threading.Lock()
        self._clients: dict[socket.socket, threading.Thread] = {}
        self._closing = False

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Accept clients until ``shut``."""
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                break  # shut
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve_one, args=(client,), daemon=True)
            with self._lock:
                self._clients[client] = thread
            thread.start()

    def shut(self) -> None:
        """Have ``serve`` return; for a signal handler of the thread that is in it."""
        self._closing = True
        self._listener.close()  # its ``accept`` is tried again after the signal, and fails

    def close(self, patience: float) -> None:
        """Let running statements end, for at most ``patience`` seconds, then close the engine."""
        with self._lock:
            clients = dict(self._clients)
        for client in clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RD)  # no next statement; the answer still goes out
        deadline = time.monotonic() + patience
        for thread in clients.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        self._keeper.close()

    def _serve_one(self, client: socket.socket) -> None:
        try:
            Session(client, self._folder).serve()
        except Exception:
            _log.exception("a client's session failed")
        finally:
            client.close()
            with self._lock:
                self._clients.pop(client, None)
