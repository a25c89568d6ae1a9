"""A supervised child tells why it failed, stops when told, and never outlives its parent."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from config.errors import Unreachable
from renown.embedded import process
from renown.embedded.broker import EmbeddedBroker
from renown.embedded.process import ChildProcess
from tests.support.stack import wait_until

SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]
PARENT = """
import os, signal, sys
from renown.embedded import process
process.sys = type("Platform", (), {"platform": sys.argv[1], "executable": sys.executable})
child = process.ChildProcess("a child", eval(sys.argv[2])).start()
child.wait_ready(lambda: bool(child.last_lines()), 20)
print(child.last_lines()[0], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits for its parent's question does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at /proc")
@pytest.mark.parametrize("platform", ["linux", "other"])
def test_the_child_dies_with_a_parent_that_is_killed(platform: str) -> None:
    tell = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    command = [sys.executable, "-c", tell]
    done = subprocess.run(
        [sys.executable, "-c", PARENT, platform, repr(command)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(process.__file__).parents[2])},
    )
    assert done.returncode == -signal.SIGKILL
    child = int(done.stdout)
    wait_until(lambda: not alive(child), 10, "the end of the child")


def test_a_child_of_a_thread_outlives_the_thread() -> None:
    child = ChildProcess("a child", SLEEP)
    thread = threading.Thread(target=child.start)
    thread.start()
    thread.join()
    child.wait_ready(lambda: bool(child.last_lines()), 20)
    with pytest.raises(Unreachable, match="not ready within"):
        child.wait_ready(lambda: False, 0.5)
    assert child.running
    child.stop()
    assert not child.running


def test_a_child_that_ignores_sigterm_is_killed() -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP[2]
    child = ChildProcess("a stubborn child", [sys.executable, "-c", stubborn]).start()
    child.wait_ready(lambda: bool(child.last_lines()), 20)
    pid = child.pid
    assert pid
    child.stop(patience=0.3)
    assert not child.running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    child.stop()  # a second time does nothing


def test_the_last_words_of_a_child_are_in_the_error() -> None:
    command = [sys.executable, "-c", "raise SystemExit('no space left')"]
    child = ChildProcess("the child", command).start()
    with pytest.raises(Unreachable, match="the child ended while starting: no space left"):
        child.wait_ready(lambda: False, 20)
    child.stop()


def test_a_missing_program_is_named() -> None:
    child = ChildProcess("the child", ["/nowhere/program"]).start()
    with pytest.raises(Unreachable, match="cannot run /nowhere/program"):
        child.wait_ready(lambda: False, 20)
    child.stop()


def test_the_broker_starts_on_a_free_port_and_stops() -> None:
    broker = EmbeddedBroker()
    with pytest.raises(RuntimeError):
        _ = broker.address
    with broker:
        host, _, port = broker.address.rpartition(":")
        assert host == "127.0.0.1"
        with pytest.raises(Unreachable, match=rf"port {port} .* another with --broker-port"):
            EmbeddedBroker(int(port), setting="--broker-port").start()
    assert not broker.running
    with EmbeddedBroker(int(port)) as again:
        assert again.address.endswith(port)
