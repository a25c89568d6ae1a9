"""Accounts with more engagers than are counted by name, as workers treat them by default."""

import gzip
from pathlib import Path

import pytest

from agents.formats import Format
from renown.run.demo import Demo
from renown.run.options import Play
from streams.core.windows import NAMED
from tests.support import flow
from tests.support.flow import Disturbances
from tests.support.interactions import MINUTE, NOON, encode, interaction
from tests.support.restarts import check_same, cut, run_parts

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

ENGAGERS = 2 * NAMED + 500
HOT = {"twitter:hot-1", "twitter:hot-2"}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two accounts with many engagers, of whom some come again and some take it back."""
    lines = []
    for number in range(ENGAGERS):
        at = NOON + number * MINUTE // 5
        actor = f"twitter:fan-{number}"
        firsts = [
            interaction(id=f"{target} {number}", actor=actor, target=target, at=at)
            for target in (*sorted(HOT), f"twitter:other-{number % 50}")
        ]
        more = [interaction(id=f"again {number}", actor=actor, target="twitter:hot-1", at=at)]
        undone = [
            interaction(id=firsts[1].id, actor=actor, target=firsts[1].target, at=at, undo=True)
        ]
        lines += firsts + more * (number % 3 == 0) + undone * (number % 4 == 0)
    path = tmp_path_factory.mktemp("events") / "events.jsonl.gz"
    with gzip.open(path, "wb") as file:
        file.writelines(encode(line) + b"\n" for line in lines)
    return path


def levels(folder: Path) -> dict[str, int]:
    """Of the accounts that are sampled."""
    with flow.stored(folder) as db:
        rows = db.query("SELECT profile, level, engagers[5] FROM score_now WHERE level > 0")
    for _, level, engagers in rows:
        assert engagers % (1 << level) == 0
        assert engagers >> level <= NAMED
    return {profile: level for profile, level, _ in rows}


def test_the_audit_agrees_also_after_a_kill_and_a_restart_with_a_new_broker(
    tmp_path: Path, events: Path
) -> None:
    play = Play(events, Format.JSONL)
    whole = flow.run(tmp_path / "whole", Demo(play, quiet=True), exact_engagers=False)
    assert whole.audit == {"checked": 52, "different": 0, "unscored": 0}
    sampled = levels(tmp_path / "whole")
    assert sampled.keys() == HOT

    killed = flow.run(
        tmp_path / "killed",
        Demo(play, quiet=True),
        disturbances=Disturbances((0.5, flow.kill_scoring)),
        exact_engagers=False,
    )
    assert flow.comparable(killed) == flow.comparable(whole)
    assert levels(tmp_path / "killed") == sampled

    halves = cut(events, tmp_path, 2)
    last = run_parts(tmp_path / "parts", halves, Format.JSONL, [4, 3], exact_engagers=False)[-1]
    check_same(last, whole)
