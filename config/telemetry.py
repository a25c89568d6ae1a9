"""What operators see of a process: ``/metrics``, ``/health`` and ``/ready`` on one loopback port.

``/health`` is 200 while the process does its work and 503 when it is stuck: restart it then.
``/ready`` is 200 while it can do its work and 503 while it waits for something (a broker, a
recovery): wait then. Both answer one JSON object that names every check and what is wrong.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import Any, Final, Self

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from config.errors import Unreachable
from config.settings import Settings

log = logging.getLogger("renown.telemetry")

Check = Callable[[], str]
"""What is wrong, in a few words; an empty text if nothing is. Called in the server's thread."""

_STUCK_CLIENT_SECONDS: Final = 10.0


def new_registry(job: str) -> CollectorRegistry:
    """A registry with what every process tells: its build, memory, CPU and garbage collector."""
    # They nearly double what is told, and nobody asks for them.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    build = Gauge(
        "renown_build_info",
        "Always 1. Differs between processes: an upgrade is not complete.",
        ["version", "job"],
        registry=registry,
    )
    build.labels(version("renown"), job).set(1)
    return registry


class Telemetry:
    """Serves one registry and the checks in a thread of its own; use it as a context.

    Without a port (``RENOWN_METRICS_PORT`` of 0) it does nothing.

    Args:
        settings: ``metrics_host`` and ``metrics_port``.
        registry: what ``/metrics`` shows.
        health: name → check of ``/health``.
        ready: name → check of ``/ready``, beside those of ``health``.
    """

    def __init__(
        self,
        settings: Settings,
        registry: CollectorRegistry,
        *,
        health: Mapping[str, Check] | None = None,
        ready: Mapping[str, Check] | None = None,
    ) -> None:
        self._address = settings.metrics_host, settings.metrics_port
        self._registry = registry
        self._checks = {
            "/health": dict(health or {}),
            "/ready": {**(health or {}), **(ready or {})},
        }
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        """The port it listens on; 0 if it does not."""
        return int(self._server.server_address[1]) if self._server else 0

    def start(self) -> Self:
        """Listen; raises ``Unreachable`` if the port cannot be had."""
        host, port = self._address
        if not port or self._server:
            return self
        try:
            server = _Server((host, port), self._handler())
        except OSError as error:
            raise Unreachable(
                f"cannot listen on {host}:{port} for metrics ({error.strerror}): "
                "free the port or choose another with RENOWN_METRICS_PORT (0: none)"
            ) from None
        self._server = server
        threading.Thread(target=server.serve_forever, name="telemetry", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        server, self._server = self._server, None
        if server:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answer(self, path: str, accept: str = "") -> tuple[int, str, bytes]:
        """Status, content type and body of the answer to a request."""
        if path == "/metrics":
            encode, content_type = choose_encoder(accept)
            return 200, content_type, encode(self._registry)
        checks = self._checks.get(path)
        if checks is None:
            return 404, "text/plain", b"there are /metrics, /health and /ready\n"
        found = {name: _ask(check) for name, check in checks.items()}
        well = not any(found.values())
        answer = {"well": well, "checks": {name: text or "ok" for name, text in found.items()}}
        return (200 if well else 503), "application/json", json.dumps(answer).encode() + b"\n"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            timeout = _STUCK_CLIENT_SECONDS
            server_version = "renown"
            sys_version = ""

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                status, content_type, body = answer(path, self.headers.get("Accept", ""))
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                log.debug(format, *args)

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def _ask(check: Check) -> str:
    try:
        return check()
    except Exception as error:  # a check that fails is itself something wrong
        return f"the check failed: {type(error).__name__}: {error}"
