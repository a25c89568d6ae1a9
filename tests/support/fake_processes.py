"""Processes that Prometheus can scrape, and whose metrics a test decides."""

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from renown.embedded.process import LOOPBACK, free_port


class FakeProcess:
    """Answers ``/metrics`` on a port that stays the same when it is stopped and started again."""

    def __init__(self, name: str, job: str, metrics: Mapping[str, float]) -> None:
        """``metrics``: series → value; change it at any time."""
        self.name, self.job = name, job
        self.metrics = dict(metrics)
        self.port = free_port()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> Self:
        """Answer from now on."""
        process = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = "".join(f"{name} {value}\n" for name, value in process.metrics.items())
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer((LOOPBACK, self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        """Answer no more."""
        server, self._server = self._server, None
        if server:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
