"""Sampled engagers on half a million real interactions, against all of them."""

import pytest

from schemas.frames import Frame
from schemas.model import load_model
from streams.core.score import ScorePartition
from tests.support.data import HIGGS, data_file
from tests.support.higgs import higgs_frames

pytestmark = pytest.mark.acceptance

_FRAMES_A_LOOK = 8
_ABOVE = 40_000
_OFF = 200
"""Thousandths of a point."""


def test_no_score_above_40_points_is_off_by_more_than_a_fifth() -> None:
    frames = higgs_frames(data_file(HIGGS))
    exact, sampled = (course(frames, exact_engagers=exact) for exact in (True, False))
    looked_at, differ = 0, 0
    for (moment, all_counted), (_, some_named) in zip(exact, sampled, strict=True):
        for account, (score, _) in all_counted.items():
            found, level = some_named[account]
            assert level or found == score, (moment, account)
            if score > _ABOVE:
                looked_at += 1
                differ += found != score
                assert abs(found - score) <= _OFF, (moment, account, score, found, level)
    assert looked_at > 10_000
    assert differ > 50, "nothing was sampled"


def course(
    frames: list[Frame], *, exact_engagers: bool
) -> list[tuple[int, dict[str, tuple[int, int]]]]:
    """Score (thousandths) and level of every account, again and again until the end."""
    state = ScorePartition(0, load_model(), once=True, exact_engagers=exact_engagers)
    known: dict[str, tuple[int, int]] = {}
    found = []
    for offset, frame in enumerate(frames):
        state.apply(frame, offset, float(offset))
        if offset % _FRAMES_A_LOOK == 0 or offset == len(frames) - 1:
            updates = state.updates(float(offset), everything=True)
            known = known | {update.profile: (update.score, update.level) for update in updates}
            found.append((offset, known))
    return found
