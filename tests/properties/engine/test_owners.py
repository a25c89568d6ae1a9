"""Whoever owns a partition, and whoever still thinks so: no successor misses what was kept."""

import asyncio
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine import checkpoint, checkpoint_files
from tests.support.simulated_log import UNNOTICED, Clock, SimulatedLog, SimulatedOwner

WAKES = ("never", "before the fence", "after the fence", "just before it knows")
STEP = st.one_of(
    st.just("apply and keep"),
    st.just("apply"),
    st.just("wait"),
    st.tuples(st.sampled_from(WAKES), st.booleans()),
)


class Story:
    """Owners one after the other, and what the newest valid checkpoint must hold."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.log = SimulatedLog()
        self.clock = Clock()
        self.kept = 0
        self.applied = 0

    async def tell(self, steps: list[str | tuple[str, bool]]) -> None:
        owner = await self.follow()
        for step in steps:
            if isinstance(step, tuple):
                owner = await self.replace(owner, *step)
            elif step == "wait":
                self.clock.now += UNNOTICED + 1
            else:
                self.apply(owner)
                if step == "apply and keep":
                    await owner.checkpoint()
                    self.kept = owner.state.number
        assert (await self.follow()).state.number == self.kept

    def apply(self, owner: SimulatedOwner) -> None:
        self.applied += 1
        owner.state.number += self.applied

    async def follow(self) -> SimulatedOwner:
        owner = SimulatedOwner(self.log, self.folder)
        await owner.read()
        await owner.fence()
        assert owner.state.number == self.kept
        return owner

    async def replace(self, old: SimulatedOwner, wakes: str, busy: bool) -> SimulatedOwner:
        """``old`` stands still, perhaps amid a checkpoint, and another one takes over."""
        old.line.hold()
        self.apply(old)
        under_way = asyncio.create_task(old.checkpoint()) if busy else None
        await asyncio.sleep(0)
        new = SimulatedOwner(self.log, self.folder)
        await new.read()
        if wakes == "before the fence":
            await self.wake(old, under_way)
        await new.fence()
        assert new.state.number == self.kept
        if wakes == "after the fence":
            await self.wake(old, under_way)
        if wakes == "just before it knows":
            self.clock.now += UNNOTICED - 1
            self.apply(new)
            await new.checkpoint()
            self.kept = new.state.number
            await self.wake(old, under_way)
        if under_way is not None:
            under_way.cancel()
        return new

    async def wake(self, old: SimulatedOwner, under_way: asyncio.Task[None] | None) -> None:
        """It does all that an owner does, without knowing that it is none."""
        old.line.free()
        if under_way is not None:
            await under_way
        for _ in range(3):
            self.apply(old)
            await old.checkpoint()


def tell(steps: list[str | tuple[str, bool]], folder: Path | None) -> Story:
    story = Story(folder)
    with (
        patch.object(checkpoint, "time", story.clock),
        patch.object(checkpoint_files, "time", story.clock),
    ):
        asyncio.run(story.tell(steps))
    return story


@settings(max_examples=60)
@given(st.lists(STEP, max_size=12))
def test_no_owner_misses_what_was_kept(steps: list[str | tuple[str, bool]]) -> None:
    tell(steps, None)


@settings(max_examples=30)
@given(st.lists(STEP, max_size=12))
def test_nor_does_one_whose_checkpoints_are_in_files(steps: list[str | tuple[str, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tell(steps, Path(folder))


def test_a_log_stays_as_small_as_what_is_needed(tmp_path: Path) -> None:
    steps: list[str | tuple[str, bool]] = ["apply and keep", "wait"] * 20
    assert len(tell(steps, None).log.records) <= 20
    tell(steps, tmp_path)
    assert len(list(tmp_path.iterdir())) <= 8
