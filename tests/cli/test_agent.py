"""``renown agent`` on the embedded broker and a Jetstream on this machine."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from agents.status import STATUS_FOLDER, AgentStatus, read_statuses
from renown.embedded.broker import EmbeddedBroker
from renown.embedded.process import free_port
from schemas.interaction import Interaction
from schemas.topics import Topic
from tests.support import bluesky as sky
from tests.support.command import assert_one_line, renown
from tests.support.jetstream import FakeJetstream
from tests.support.stack import read_topic, wait_until


@contextmanager
def running(folder: Path, *options: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RENOWN_")}
    environment |= {f"RENOWN_{name.upper()}": value for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "renown", "agent", "bluesky", *options],
        cwd=folder,
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=20)


def status_of(folder: Path) -> AgentStatus:
    found = read_statuses(folder / ".data" / STATUS_FOLDER)
    return found[0] if found else AgentStatus(name="none")


def test_without_a_name_it_lists_them(tmp_path: Path) -> None:
    result = renown("agent", cwd=tmp_path)
    assert result.code == 0, result
    assert "bluesky  the public stream of Bluesky" in result.out
    assert set(renown("agent", "--json", cwd=tmp_path).json) == {"bluesky"}


def test_what_is_wrong_is_said_in_one_line(embedded_broker: EmbeddedBroker, tmp_path: Path) -> None:
    kafka = embedded_broker.address
    bluesky = ("agent", "bluesky")
    assert_one_line(renown("agent", "nosuch", cwd=tmp_path), 2, "unknown agent", "bluesky")
    assert_one_line(renown(*bluesky, cwd=tmp_path), 3, "no broker is running")
    for at in ("tomorrow", "1999-01-01", "2999-01-01"):
        assert_one_line(renown(*bluesky, "--from", at, cwd=tmp_path, kafka=kafka), 2, at)
    result = renown(*bluesky, "--url", "https://x", "--from", "now", cwd=tmp_path, kafka=kafka)
    assert_one_line(result, 2, "wss://host[:port]/subscribe")


def test_it_publishes_until_it_is_told_to_stop(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    kafka, port = embedded_broker.address, free_port()
    now = time.time_ns() // 1000
    likes = [
        (now + n, sky.like("noor", sky.uri("ava", "3"), f"3k{now}{n}", time_us=now + n))
        for n in range(5)
    ]
    with (
        FakeJetstream() as server,
        running(
            tmp_path, "--url", server.url, "--json", kafka=kafka, metrics_port=str(port)
        ) as process,
    ):
        wait_until(lambda: server.cursors, 30, "it listens")
        server.add(*likes)
        wait_until(lambda: status_of(tmp_path).cursor == str(now + 4), 30, "it is acknowledged")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            assert json.load(answer)["checks"] == {"agent": "ok", "bluesky": "ok", "broker": "ok"}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            told = answer.read().decode()
        assert 'renown_agent_published_total{kind="like",network="bluesky"} 5.0' in told
        assert 'renown_build_info{job="renown-agent"' in told
        second = renown(*("agent", "bluesky", "--url", server.url), cwd=tmp_path, kafka=kafka)
        assert_one_line(second, 2, "another agent bluesky runs")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert server.cursors == [None], "nothing was read before"
    assert "starting from now on" in err
    assert json.loads(out)["published"] == {"like": 5}
    assert status_of(tmp_path).metrics_port == port
    values = [record.value for record in read_topic(kafka, Topic.LIKE.value)]
    ids = {msgspec.json.decode(value, type=Interaction).id for value in values if b'"id"' in value}
    assert {sky.uri("noor", f"3k{now}{n}", sky.LIKE) for n in range(5)} <= ids


def test_a_network_that_cannot_be_reached_is_tried_on(
    embedded_broker: EmbeddedBroker, tmp_path: Path, closed_port: int
) -> None:
    options = ("--url", f"ws://127.0.0.1:{closed_port}/subscribe")
    with running(tmp_path, *options, kafka=embedded_broker.address) as process:
        # The second may come and go between two of the status's seconds.
        wait_until(
            lambda: re.search(r"attempt ([2-9]|\d\d)", status_of(tmp_path).detail),
            30,
            "a second attempt",
        )
        assert status_of(tmp_path).state == "connecting"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "(Connection refused); trying" in err
    assert "Traceback" not in err
    assert out.startswith("bluesky stopped: 0 interactions")
