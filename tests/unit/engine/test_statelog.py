"""States move between workers: who keeps them, who recovers them, who must not fence."""

import asyncio
from types import SimpleNamespace

import faust
import pytest
from faust.types import TP

from config.errors import ExitCode
from schemas.topics import Topic
from streams.engine import statelog
from tests.support.states import TOPIC, GatedOutbox, feed, log_of, recovered, tps


@pytest.fixture
def app() -> faust.App:
    return faust.App("test-statelog", broker="memory://", store="memory://")


def test_a_recovered_state_is_the_newest_checkpoint_under_a_new_epoch(app: faust.App) -> None:
    async def scenario() -> None:
        outbox = GatedOutbox()
        log = log_of(app, outbox)
        found: list[tuple[int, int]] = []
        log.on_recovered = lambda partition, _s, known: found.append((partition, known.next_number))
        await recovered(log, {1: 42}, generation=1)
        assert log.states[1].number == 42
        assert log.states[1].epoch == 8
        assert found == [(1, 1)]
        assert log.wanted(TP(Topic.WEIGHED.value, 1)) == 42
        assert log.wanted(TP(Topic.WEIGHED.value, 2)) is None
        assert len(outbox.sent) == 1, "its fence"
        assert log.sent_bytes == len(outbox.sent[0][1])
        assert [size > 0 for size in log.sizes[1]] == [True]
        assert log.recovery_seconds > 0

    asyncio.run(scenario())


def test_memory_is_kept_only_if_nobody_can_have_owned_it_in_between(app: faust.App) -> None:
    async def scenario() -> None:
        log = log_of(app, GatedOutbox())
        assert log.unready() == "no partitions are assigned"
        await recovered(log, {1: 42, 2: 5}, generation=1)
        assert log.unready() == ""
        kept = log.states[1]
        log.release()
        assert log.states == {}
        await log.on_rebalance(tps(1), tps(2), set(), 2)
        assert log.states == {1: kept}, "the next generation: kept, without reading"
        assert log.persisted_offset(TP(TOPIC.value, 1)) != -1
        await log.on_rebalance(tps(1), set(), set(), 5)
        assert log.states == {}, "generations were missed: somebody else may have owned it"
        assert log.persisted_offset(TP(TOPIC.value, 1)) == -1

    asyncio.run(scenario())


def test_a_recovery_that_is_overtaken_by_a_rebalance_gives_no_state(app: faust.App) -> None:
    async def scenario() -> None:
        outbox = GatedOutbox()
        log = log_of(app, outbox)
        outbox.gate.clear()
        await log.on_rebalance(tps(1), set(), tps(1), 1)
        feed(log, 1, 42)
        assert log.unready() == "1 partitions of renown-score-changelog are being recovered"
        recovery = asyncio.create_task(log.on_recovery_completed(tps(1), set()))
        while not outbox.sent:  # noqa: ASYNC110 (the fake has no event for it)
            await asyncio.sleep(0.01)
        await log.on_rebalance(tps(2), tps(1), tps(2), 2)
        outbox.gate.set()
        await recovery
        assert log.states == {}

    asyncio.run(scenario())


def test_a_state_of_another_number_of_partitions_is_refused(
    app: faust.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Exception):
        pass

    def stop(what: str, *_error: object, code: ExitCode = ExitCode.FAILED) -> None:
        told.append((what, code))
        raise Stopped

    async def scenario() -> None:
        log = log_of(app, GatedOutbox())
        log.partitions = 6
        with pytest.raises(Stopped):
            await recovered(log, {1: 42}, generation=1)
        assert log.states == {}

    told: list[tuple[str, ExitCode]] = []
    monkeypatch.setattr(statelog, "fail_stop", stop)
    asyncio.run(scenario())
    [(what, code)] = told
    assert "is of 4 partitions, RENOWN_PARTITIONS says 6" in what
    assert "renown rebuild" in what
    assert code is ExitCode.WRONG_USE


def test_partitions_are_recovered_beside_each_other(app: faust.App) -> None:
    async def scenario() -> None:
        outbox = GatedOutbox()
        outbox.gate.clear()
        log = log_of(app, outbox)
        recovery = asyncio.create_task(recovered(log, {0: 1, 1: 42, 2: 5}, generation=1))
        while len(outbox.sent) < 3:  # noqa: ASYNC110 (the fake has no event for it)
            await asyncio.sleep(0.01)
        assert log.states == {}, "no fence is acknowledged"
        outbox.gate.set()
        await recovery
        assert {p: state.number for p, state in log.states.items()} == {0: 1, 1: 42, 2: 5}

    asyncio.run(scenario())


def test_a_recovery_that_takes_long_is_told_while_it_lasts(
    app: faust.App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(statelog, "time", SimpleNamespace(monotonic=lambda: clock.now))

    async def scenario() -> None:
        log = log_of(app, GatedOutbox())
        await log.on_rebalance(tps(1), set(), tps(1), 1)
        feed(log, 1, 42)
        assert caplog.messages == [], "not yet"
        clock.now = 6.0
        feed(log, 1, 42)
        assert len(caplog.messages) == 1
        assert "recovering renown-score-changelog: read 0 MB, 6 s so far" in caplog.messages[0]
        await log.on_recovery_completed(tps(1), set())
        clock.now = 60.0
        feed(log, 1, 42)
        assert len(caplog.messages) == 1, "what comes later is no recovery"

    asyncio.run(scenario())
