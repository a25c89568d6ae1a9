import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from prometheus_client import Counter

from config.errors import Unreachable
from config.settings import load_settings
from config.telemetry import Telemetry, new_registry
from renown.embedded.process import free_port


def _telemetry(port: int = 0, **checks: dict[str, Callable[[], str]]) -> Telemetry:
    settings = load_settings(_env_file=None, metrics_port=port)
    registry = new_registry("test")
    Counter("renown_things", "Things.", registry=registry).inc(3)
    return Telemetry(settings, registry, **checks)


def _get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_process_tells_its_metrics_and_what_it_is() -> None:
    with _telemetry(free_port()) as telemetry:
        status, body = _get(telemetry.port, "/metrics")
    assert status == 200
    assert "renown_things_total 3.0" in body
    assert 'renown_build_info{job="test",version=' in body
    assert "process_resident_memory_bytes" in body


def test_health_and_readiness_are_told_apart() -> None:
    waiting = {"broker": lambda: "no broker answers"}
    with _telemetry(free_port(), health={"loop": lambda: ""}, ready=waiting) as telemetry:
        health = _get(telemetry.port, "/health")
        ready = _get(telemetry.port, "/ready?verbose")
    assert health[0] == 200
    assert json.loads(health[1]) == {"well": True, "checks": {"loop": "ok"}}
    assert ready[0] == 503
    assert json.loads(ready[1])["checks"] == {"loop": "ok", "broker": "no broker answers"}


def test_a_check_that_fails_is_not_healthy() -> None:
    def broken() -> str:
        raise RuntimeError("gone")

    status, _type, body = _telemetry(health={"state": broken}).answer("/health")
    assert status == 503
    assert b"RuntimeError: gone" in body


def test_other_paths_are_not_there() -> None:
    assert _telemetry().answer("/../etc/passwd")[0] == 404


def test_without_a_port_nothing_listens() -> None:
    with _telemetry(0) as telemetry:
        assert telemetry.port == 0


def test_a_port_in_use_is_an_error_that_says_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(Unreachable, match="RENOWN_METRICS_PORT"):
            _telemetry(int(other.getsockname()[1])).start()
