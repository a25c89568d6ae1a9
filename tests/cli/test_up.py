"""``renown up`` as a person uses it: other commands find it, and what it stored stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import renown
from tests.support.stack import wait_until

START_SECONDS = 90.0
FLOW_SECONDS = 90.0


@pytest.mark.timeout(300)
def test_commands_find_what_runs_and_then_what_it_left(likes: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "renown", "up", "--kafka-port", "0", "--clickhouse-port", "0"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RENOWN_")}
    with (tmp_path / "up.log").open("w") as log:
        up = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=log)
    try:

        def ready() -> bool:
            assert up.poll() is None, (tmp_path / "up.log").read_text()
            return "Ready" in (tmp_path / "up.log").read_text()

        wait_until(ready, START_SECONDS, "up says that it is ready")
        stack = tmp_path / ".data" / "stack.json"
        assert stack.stat().st_mode & 0o777 == 0o600
        assert renown("replay", likes.name, cwd=tmp_path).code == 0
        wait_until(
            lambda: renown("show", "twitter:7100", cwd=tmp_path).code == 0,
            FLOW_SECONDS,
            "the score is stored",
        )
        checks = renown("doctor", "--json", cwd=tmp_path).json["checks"]
        assert {"Kafka", "topics", "ClickHouse", "migrations"} <= {x["subject"] for x in checks}
        assert all(check["ok"] for check in checks)
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(60)
    assert up.returncode == 130
    assert not stack.exists()
    left = renown("show", "twitter:7100", "--json", cwd=tmp_path)
    assert left.json["received"] == {"like": 3}
    assert left.err.startswith("Nothing is running; reading what is stored in ")
