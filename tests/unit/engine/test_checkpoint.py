"""Checkpoints tell how long they took, how large they are, and what still waits for one."""

import asyncio
from typing import Any, cast

import faust
import pytest
from faust.types import TP

from schemas.topics import Topic
from streams.engine.checkpoint import Budget, Checkpointer
from streams.engine.inputs import Inputs
from tests.support.states import Counting, GatedOutbox, log_of, recovered


def test_what_changed_ages_until_it_is_kept() -> None:
    async def scenario() -> None:
        app = faust.App("test-checkpoint", broker="memory://", store="memory://")
        outbox, inputs = GatedOutbox(), Inputs(frozenset())
        log = log_of(app, outbox)
        took: list[float] = []
        checkpointer: Checkpointer[Counting] = Checkpointer(
            log, cast("Any", outbox), inputs, cast("Any", None), lambda _partition, _state: None,
            interval=3600.0, budget=Budget(), on_taken=took.append,
        )  # fmt: skip
        log.on_recovered = checkpointer.recovered
        await recovered(log, {1: 42, 2: 5}, generation=1)
        await checkpointer.run_due()
        assert checkpointer.age() == 0, "nothing has changed"

        log.states[1].number = 43
        await checkpointer.run_due()
        first = checkpointer.age()
        await asyncio.sleep(0.01)
        assert checkpointer.age() > first > 0

        outbox.gate.clear()
        log.release()
        waiting = asyncio.create_task(checkpointer.run_released())
        await asyncio.sleep(0.01)
        assert checkpointer.age() > first, "not acknowledged yet"
        log.released[1].number = 44  # applied while the checkpoint was under way
        outbox.gate.set()
        await waiting
        assert len(took) == 1
        assert 0.01 < took[0] < checkpointer.age() + 1
        assert checkpointer.age() > 0, "the newest change is in no checkpoint"
        first_size = sum(log.sizes[1])
        await checkpointer.run_released()
        assert checkpointer.age() == 0
        assert len(took) == 2
        assert sum(log.sizes[1]) > first_size > 0, "the second says only what is new"
        assert log.sent_bytes == sum(len(record) for _, record in outbox.sent)
        assert inputs.durable[TP(Topic.WEIGHED.value, 1)] == 44
        log.released.clear()
        log.states.clear()
        assert checkpointer.age() == 0

    asyncio.run(scenario())


def test_nobody_waits_for_the_next_regular_one_when_somebody_asks() -> None:
    async def scenario() -> None:
        app = faust.App("test-asked", broker="memory://", store="memory://")
        outbox, inputs = GatedOutbox(), Inputs(frozenset())
        log = log_of(app, outbox)
        took: list[float] = []
        asked = False
        checkpointer: Checkpointer[Counting] = Checkpointer(
            log, cast("Any", outbox), inputs, cast("Any", None), lambda _partition, _state: None,
            interval=3600.0, budget=Budget(), on_taken=took.append, asked=lambda: asked,
        )  # fmt: skip
        log.on_recovered = checkpointer.recovered
        await recovered(log, {1: 42}, generation=1)
        log.states[1].number = 43
        await checkpointer.run_due()
        assert took == []
        asked = True
        await checkpointer.run_due()
        assert len(took) == 1
        await checkpointer.run_due()
        assert len(took) == 1, "nothing has changed since"

    asyncio.run(scenario())


def test_a_state_that_waits_for_its_checkpoint_is_told_of_it() -> None:
    async def scenario() -> None:
        app = faust.App("test-urgent", broker="memory://", store="memory://")
        outbox, inputs = GatedOutbox(), Inputs(frozenset())
        log = log_of(app, outbox)
        kept: list[tuple[int, object]] = []
        checkpointer: Checkpointer[Counting] = Checkpointer(
            log, cast("Any", outbox), inputs, cast("Any", None), lambda _partition, _state: None,
            interval=3600.0, budget=Budget(), urgent=lambda state: state.number == 43,
            on_kept=lambda state, version: kept.append((state.partition, version)),
        )  # fmt: skip
        log.on_recovered = checkpointer.recovered
        await recovered(log, {1: 42, 2: 5}, generation=1)
        log.states[1].number, log.states[2].number = 43, 6
        outbox.gate.clear()
        waiting = asyncio.create_task(checkpointer.run_due())
        await asyncio.sleep(0.05)
        assert kept == [], "not acknowledged yet"
        outbox.gate.set()
        await waiting
        assert kept == [(1, 43)]

    asyncio.run(scenario())


def test_a_round_of_checkpoints_takes_a_share_of_the_time_of_the_worker() -> None:
    budget = Budget(share=0.1)
    assert budget.wait() == 0
    budget.took(("weigh", 0), 0.5)
    budget.took(("score", 0), 1.0)
    assert budget.wait() == pytest.approx(15.0)
    budget.took(("score", 0), 2.0)
    assert budget.wait() == pytest.approx(25.0), "only the newest one of each counts"
    budget.took(("score", 1), 100.0)
    assert budget.wait() == pytest.approx(60.0)
    budget.forget(("score", 1))
    budget.forget(("score", 0))
    budget.forget(("never", 0))
    assert budget.wait() == pytest.approx(5.0)


def test_a_state_that_is_too_large_for_its_interval_waits_longer() -> None:
    async def scenario() -> None:
        app = faust.App("test-budget", broker="memory://", store="memory://")
        outbox, inputs = GatedOutbox(), Inputs(frozenset())
        log, budget, took = log_of(app, outbox), Budget(), list[float]()
        checkpointer: Checkpointer[Counting] = Checkpointer(
            log, cast("Any", outbox), inputs, cast("Any", None), lambda _partition, _state: None,
            interval=0.0, budget=budget, on_taken=took.append,
        )  # fmt: skip
        log.on_recovered = checkpointer.recovered
        await recovered(log, {1: 42}, generation=1)
        log.states[1].number = 43
        budget.took("a state of the other stage", 60.0)
        await checkpointer.run_due()
        assert took == []
        budget.forget("a state of the other stage")
        await checkpointer.run_due()
        assert len(took) == 1
        assert budget.wait() > took[0]
        log.release()
        await checkpointer.run_released()
        assert budget.wait() == 0, "what was given up does not count"

    asyncio.run(scenario())
