"""What a worker knows of its broker: whether it answers, and where its logs end."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError
from faust.types import TP

from config.settings import load_settings
from streams.engine.inputs import Inputs
from streams.engine.pulse import Pulse
from streams.engine.worker import WorkerApp


@pytest.fixture
def app(tmp_path: Path) -> WorkerApp:
    settings = load_settings(kafka="127.0.0.1:9", data_dir=tmp_path, session_seconds=5.0)
    return WorkerApp(settings, "renown-test", Inputs(frozenset()))


def test_a_broker_that_is_silent_for_a_session_is_away(app: WorkerApp) -> None:
    check = app.checks["broker"]
    assert check() == "no broker has answered yet"
    app.inputs.heard_at = time.monotonic() - 4
    assert check() == ""
    app.inputs.heard_at -= 2
    assert check() == "no broker has answered for 6 s"


def test_its_loop_is_watched_from_the_beginning_to_the_end(app: WorkerApp) -> None:
    now = 100.0
    app.pulse = Pulse(5.0, lambda: now)

    async def scenario() -> None:
        nonlocal now
        app.loop = asyncio.get_running_loop()
        await app.on_first_start()
        await asyncio.sleep(0)
        now += 11
        assert app.pulse.check() == "the event loop has not turned for 11 s"
        await app._stop_futures()

    asyncio.run(scenario())
    assert app.pulse.check() == ""


def test_how_far_behind_is_told_where_it_is_known(app: WorkerApp) -> None:
    ends: dict[TP, Any] = {
        TP("weighed", 0): 12, TP("weighed", 1): None, TP("weighed", 2): IllegalStateError,
        TP("weighed", 3): AssertionError,
    }  # fmt: skip

    def highwater(tp: TP) -> int | None:
        end = ends[tp]
        if isinstance(end, type):
            raise end("not assigned")
        return end  # type: ignore[no-any-return]

    app.consumer = SimpleNamespace(highwater=highwater)
    assert [app.behind("weighed", partition, 10) for partition in range(4)] == [2, None, None, None]
    assert app.behind("weighed", 0, 15) == 0, "the end that is known may be an old one"
