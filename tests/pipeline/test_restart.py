"""The embedded stack ends with its broker and starts with a new one: nothing is lost by it."""

from pathlib import Path

import pytest

from agents.formats import Format
from renown.run.demo import Demo
from renown.run.options import SAMPLE
from tests.support import flow
from tests.support.restarts import check_same, cut, run_parts


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_restarts_give_the_figures_of_one_run(tmp_path: Path) -> None:
    whole = flow.run(tmp_path / "whole", Demo(quiet=True))
    parts = run_parts(
        tmp_path / "parts", cut(SAMPLE, tmp_path, 3), Format.JSONL, partitions=[4, 4, 3]
    )
    assert whole.duplicates > 0
    assert whole.undone > 0
    check_same(parts, whole)
