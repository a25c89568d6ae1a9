"""A process that stands still, or whose event loop hangs, is noticed and ended."""

import asyncio
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

from streams.engine.checks import Checks
from streams.engine.failstop import standstill, stopping_hangs
from streams.engine.pulse import Pulse

HANGS = """
import asyncio, logging, time
from config.logging import configure_logging
from config.settings import load_settings
from streams.engine.failstop import exit_when_stalled
from streams.engine.pulse import Pulse

configure_logging(load_settings(_env_file=None, log_format="json"), job="renown-test")
pulse = Pulse(10.0)
pulse.hung_after = 2.0
exit_when_stalled(10.0, pulse)

async def main():
    beating = asyncio.create_task(pulse.run())
    await asyncio.sleep(2.3)  # the loop turns: nobody minds
    print("turning", flush=True)
    logging.getLogger().handlers[0].acquire()  # as one who hangs while it logs
    time.sleep(30)

asyncio.run(main())
"""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_silence_is_measured_from_beat_to_beat_only() -> None:
    clock = Clock()
    pulse = Pulse(8.0, clock)
    clock.now += 1000
    assert (pulse.silent(), pulse.check()) == (0.0, ""), "it has not begun"
    pulse.beat()
    clock.now += 16
    assert (pulse.silent(), pulse.check()) == (16, "")
    clock.now += 1
    assert pulse.check() == "the event loop has not turned for 17 s"
    pulse.beat()
    assert pulse.check() == ""


@pytest.mark.parametrize(("session", "slow", "hung"), [(3.0, 10.0, 150.0), (60.0, 120.0, 180.0)])
def test_patience_grows_with_the_session(session: float, slow: float, hung: float) -> None:
    pulse = Pulse(session)
    assert (pulse.slow_after, pulse.hung_after) == (slow, hung)


def test_a_loop_that_turns_beats_until_it_ends() -> None:
    clock = Clock()
    pulse = Pulse(8.0, clock)

    async def scenario() -> None:
        running = asyncio.create_task(pulse.run())
        await asyncio.sleep(0)
        clock.now += 5
        assert pulse.silent() == 5
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(scenario())
    clock.now += 1000
    assert pulse.silent() == 0, "what ends is not watched"


def test_why_a_process_must_end() -> None:
    clock = Clock()
    pulse = Pulse(8.0, clock)
    pulse.beat()
    clock.now += 150
    assert standstill(0.25, 8.0, pulse) == ""
    assert "stood still for 9 s" in standstill(9.0, 8.0, pulse)
    clock.now += 1
    assert standstill(0.25, 8.0, pulse) == "its event loop has hung for 151 s"


def test_a_hung_loop_ends_the_process_even_while_it_logs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGS],
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "turning\n"), done
    (line,) = done.stderr.splitlines()
    said = json.loads(line)
    assert said["message"].startswith("worker stopped: its event loop has hung for 2 s")
    assert (said["level"], said["job"]) == ("CRITICAL", "renown-test")


def test_checks_may_be_asked_before_there_is_an_app() -> None:
    checks = Checks("broker", "partitions")
    assert checks.health["loop"]() == ""
    assert {name: check() for name, check in checks.ready.items()} == {
        "broker": "it is connecting",
        "partitions": "it is connecting",
    }
    app: Any = SimpleNamespace(
        pulse=SimpleNamespace(check=lambda: "stuck"),
        checks={"broker": lambda: "", "partitions": lambda: "none"},
    )
    checks.app = cast("Any", app)
    assert checks.health["loop"]() == "stuck"
    assert {name: check() for name, check in checks.ready.items()} == {
        "broker": "",
        "partitions": "none",
    }


def test_a_process_that_was_told_to_end_waits_only_for_a_broker_that_answers() -> None:
    assert stopping_hangs(7.9, 8.0, silent=30.0) == ""
    assert "no broker has answered for 9 s" in stopping_hangs(8.1, 8.0, silent=9.0)
    assert stopping_hangs(40.0, 8.0, silent=0.1) == "", "it is still keeping what it applied"
    assert stopping_hangs(49.0, 8.0, silent=0.1) == "it was told to end 49 s ago"
