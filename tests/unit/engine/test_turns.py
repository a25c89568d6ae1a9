"""Turns: one at a time for each partition, and each is finished once it has begun."""

import asyncio
from functools import partial

import pytest

from streams.engine import turns as module
from streams.engine.turns import Turns


def test_one_at_a_time_in_the_order_in_which_they_come() -> None:
    async def scenario() -> None:
        turns, said = Turns(), list[str]()

        async def work(name: str) -> str:
            said.append(f"{name} begins")
            await asyncio.sleep(0.001)
            said.append(f"{name} ends")
            return name

        three = [turns.take(1, partial(work, name)) for name in "abc"]
        assert await asyncio.gather(*three) == ["a", "b", "c"]
        assert said == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]

    asyncio.run(scenario())


def test_partitions_do_not_wait_for_each_other() -> None:
    async def scenario() -> None:
        turns, gate = Turns(), asyncio.Event()

        async def opens() -> None:
            gate.set()

        await asyncio.wait_for(
            asyncio.gather(turns.take(1, gate.wait), turns.take(2, opens)), timeout=5
        )

    asyncio.run(scenario())


def test_who_waits_is_cancelled_but_the_work_goes_on_and_the_next_waits_for_it() -> None:
    async def scenario() -> None:
        turns, gate, said = Turns(), asyncio.Event(), list[str]()

        async def work() -> None:
            await gate.wait()
            said.append("first")

        async def next_one() -> None:
            said.append("second")

        waiting = asyncio.create_task(turns.take(1, work))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        after = asyncio.create_task(turns.take(1, next_one))
        await asyncio.sleep(0.001)
        assert said == []
        gate.set()
        await after
        assert said == ["first", "second"]

    asyncio.run(scenario())


def test_errors_reach_who_waits_and_the_next_has_its_turn() -> None:
    async def scenario() -> None:
        turns = Turns()

        async def fails() -> None:
            raise ValueError("no")

        async def works() -> int:
            return 1

        with pytest.raises(ValueError, match="no"):
            await turns.take(1, fails)
        assert await turns.take(1, works) == 1

    asyncio.run(scenario())


def test_an_error_that_nobody_waits_for_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    stops: list[tuple[str, object]] = []
    monkeypatch.setattr(module, "fail_stop", lambda what, error: stops.append((what, error)))

    async def scenario() -> None:
        turns, gate = Turns(), asyncio.Event()

        async def fails() -> None:
            await gate.wait()
            raise ValueError("no")

        waiting = asyncio.create_task(turns.take(1, fails))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.set()
        await asyncio.sleep(0.001)

    asyncio.run(scenario())
    assert [(what, str(error)) for what, error in stops] == [("work on a state failed", "no")]
