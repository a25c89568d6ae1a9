"""Half a million real interactions in two halves, the second with a new broker: the same figures.

Takes minutes: ``make acceptance``.
"""

from pathlib import Path

import pytest

from agents.formats import Format
from tests.acceptance.test_higgs import ACCEPTED, ACCOUNTS, END_SUM, TOTAL
from tests.support import flow
from tests.support.data import HIGGS, data_file
from tests.support.restarts import cut, run_parts

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]


@pytest.mark.parametrize("partitions", [[4, 4], [4, 6]])
def test_a_restart_with_a_new_broker_between_two_halves(
    tmp_path: Path, partitions: list[int]
) -> None:
    halves = cut(data_file(HIGGS), tmp_path, 2)
    first, second = run_parts(tmp_path / "parts", halves, Format.SNAP, partitions)
    rebuilt = second.rebuilt
    assert rebuilt is not None
    flow.say(f"{rebuilt.words}; {rebuilt.state_bytes:,} bytes of state")
    assert rebuilt.ids == first.figures.rows["interactions"]
    assert second.leaders_at_start == first.figures.top

    figures, audited = second.figures, second.audited
    assert figures.accepted == ACCEPTED
    assert figures.rows["interactions"] == TOTAL
    assert (figures.accounts_scored, figures.accounts_above_1) == (ACCOUNTS, ACCOUNTS)
    assert figures.score_sum == END_SUM
    for outcome in ("duplicate", "undone", "unmatched", "late", "dead"):
        assert figures.totals[outcome] == 0, outcome
    assert (audited.checked, audited.different, audited.unscored) == (ACCOUNTS, 0, 0)
    assert first.audited.different == 0
