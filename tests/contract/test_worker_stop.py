"""A worker that is told to end does so in bounded time, whatever the broker does."""

from pathlib import Path

import pytest

from config.errors import ExitCode
from renown.embedded.broker import EmbeddedBroker
from tests.support.stack import wait_until
from tests.support.workers import worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

_SESSION_SECONDS = 3.0
_MOST_SECONDS = 15.0


def test_sigterm_ends_a_worker_whose_broker_is_away(tmp_path: Path) -> None:
    broker = EmbeddedBroker().start()
    settings = {"kafka": broker.address, "session_seconds": _SESSION_SECONDS, "partitions": 2}
    try:
        with worker("score", tmp_path, **settings) as score:
            wait_until(score.ready, 90.0, "the worker owns its partitions")
            broker.stop()
            score.process.terminate()
            assert score.process.wait(_MOST_SECONDS) == ExitCode.FAILED
            assert "told to end, and no broker has answered" in score.log.read_text()
    finally:
        broker.stop()
