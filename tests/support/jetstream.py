"""A Jetstream of our own on this machine, with the faults that tests want of it."""

import contextlib
import threading
import time
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from renown.embedded.process import free_port

Timed = tuple[int, bytes]
"""Event time in µs, and the message; the message may be anything."""


class FakeJetstream:
    """Sends everything from the cursor on (inclusive) and then what is added; use it as a context.

    Args:
        messages: event time in µs and bytes, in order; ``add`` brings more.
        close_after: end each connection after so many messages.
        abruptly: end it without a word.
        twice_every: send each so many-th message a second time.
        pause: seconds before each message.
        refuse: how many connections are refused with HTTP 503 before one is taken.
    """

    def __init__(
        self,
        messages: Iterable[Timed] = (),
        *,
        close_after: int | None = None,
        abruptly: bool = False,
        twice_every: int | None = None,
        pause: float = 0.0,
        refuse: int = 0,
    ) -> None:
        self.queries: list[dict[str, list[str]]] = []
        self.refused = 0
        self.sent = 0
        self.pause = pause
        self.close_after = close_after
        self._messages = list(messages)
        self._abruptly = abruptly
        self._twice_every = twice_every
        self._refuse = refuse
        self._news = threading.Condition()
        self._ending = False
        self._port = free_port()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where to subscribe, whether it runs or not."""
        return f"ws://127.0.0.1:{self._port}/subscribe"

    @property
    def cursors(self) -> list[int | None]:
        """The cursor that each connection asked for."""
        return [int(q["cursor"][0]) if "cursor" in q else None for q in self.queries]

    def add(self, *messages: Timed) -> None:
        """Something new happens; those who listen hear of it."""
        with self._news:
            self._messages += messages
            self._news.notify_all()

    def forget(self, before: int) -> None:
        """Keep nothing that happened before ``before`` (µs)."""
        with self._news:
            self._messages = [each for each in self._messages if each[0] >= before]

    def start(self) -> Self:
        """Listen; again after ``stop``, at the same address."""
        self._ending = False
        self._server = serve(
            self._handle,
            "127.0.0.1",
            self._port,
            process_request=self._answer,
            compression=None,
            close_timeout=0.5,
        )
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        """End every connection and listen no more."""
        with self._news:
            self._ending = True
            self._news.notify_all()
        if self._server:
            self._server.shutdown()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answer(self, connection: ServerConnection, _request: Any) -> Any:
        if self.refused < self._refuse:
            self.refused += 1
            return connection.respond(503, "not now\n")
        return None

    def _handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        with self._news:
            self.queries.append(query)
            at = len(self._messages)
            if "cursor" in query:
                cursor = int(query["cursor"][0])
                at = next((n for n, (t, _) in enumerate(self._messages) if t >= cursor), at)
        with contextlib.suppress(ConnectionClosed):
            self._send_from(connection, at)

    def _send_from(self, connection: ServerConnection, at: int) -> None:
        number = 0
        while True:
            with self._news:
                while at >= len(self._messages) and not self._ending:
                    self._news.wait(0.1)
                    if connection.close_code is not None:
                        return
                if self._ending:
                    return
                message = self._messages[at][1]
            at += 1
            number += 1
            if self.pause:
                time.sleep(self.pause)
            times = 2 if self._twice_every and number % self._twice_every == 0 else 1
            for _ in range(times):
                connection.send(message, text=True)
                self.sent += 1
            if self.close_after and number >= self.close_after:
                if self._abruptly:
                    connection.socket.close()
                return
