"""Half a million real interactions through the whole flow, figure by figure, on both brokers.

Every golden figure is that of the reference of the score model on the same file with every actor
ordinary. Takes minutes: ``make acceptance``.
"""

from pathlib import Path

import pytest

from agents.formats import Format
from renown.cli.times import parse_time
from renown.queries import received_by_kind
from renown.run.demo import Demo
from renown.run.options import Play
from renown.run.report import Figures
from tests.support import flow
from tests.support.data import HIGGS, data_file
from tests.support.flow import Disturbances

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]

READ = 563_069
FOLDED = 36_902
SELF = 7_081
ACCEPTED = {
    "like": 0,
    "mention": 127_761,
    "comment": 36_395,
    "retweet": 354_930,
    "recommendation": 0,
}
TOTAL = 519_086
ACCOUNTS = 59_075
END_SUM = 749_004_018
"""Of all scores at the last event's hour (168 h less one), in thousandths."""


@pytest.fixture(scope="module")
def higgs() -> Path:
    return data_file(HIGGS)


def play(higgs: Path, until: str | None = None, repeat: int = 1) -> Demo:
    end = parse_time(until) if until else None
    return Demo(Play(higgs, Format.SNAP, until=end, repeat=repeat), quiet=True)


def check_complete(figures: Figures) -> None:
    assert figures.accepted == ACCEPTED
    assert figures.rows["interactions"] == TOTAL
    assert figures.accounts_scored == ACCOUNTS
    assert figures.accounts_above_1 == ACCOUNTS
    assert figures.score_sum == END_SUM
    assert (figures.late, figures.dead, figures.undone) == (0, 0, 0)
    assert figures.audit == {"checked": ACCOUNTS, "different": 0, "unscored": 0}


def test_the_complete_file(tmp_path: Path, fresh_kafka: str, higgs: Path) -> None:
    figures = flow.run(tmp_path, play(higgs), fresh_kafka)
    assert (figures.read, figures.folded, figures.self) == (READ, FOLDED, SELF)
    assert figures.duplicates == 0
    check_complete(figures)
    with flow.stored(tmp_path) as db:
        received = received_by_kind(db, "twitter:88")
    assert received == {"retweet": 18_977, "mention": 14_358, "comment": 1_324}


@pytest.mark.parametrize(
    ("until", "above", "total"),
    [
        ("2012-07-05T00:00:00Z", 42_194, 791_185_286),
        ("2012-07-06T00:00:00Z", 52_923, 750_378_675),
    ],
)
def test_the_scores_of_a_moment(
    tmp_path: Path, fresh_kafka: str, higgs: Path, until: str, above: int, total: int
) -> None:
    figures = flow.run(tmp_path, play(higgs, until), fresh_kafka)
    assert (figures.accounts_above_1, figures.score_sum) == (above, total)
    assert figures.audit["different"] == 0


def test_a_second_pass_is_all_duplicates(tmp_path: Path, fresh_kafka: str, higgs: Path) -> None:
    figures = flow.run(tmp_path, play(higgs, repeat=2), fresh_kafka)
    assert figures.duplicates == TOTAL
    check_complete(figures)


def test_restarts_rebalances_and_an_absent_clickhouse(
    tmp_path: Path, fresh_kafka: str, higgs: Path
) -> None:
    disturbances = Disturbances(
        (0.05, flow.restart_scoring),
        (0.15, flow.second_scorer_joins),
        (0.35, flow.second_scorer_leaves),
        (0.50, flow.restart_sink),
        (0.60, flow.twenty_seconds_without_clickhouse),
    )
    check_complete(flow.run(tmp_path, play(higgs), fresh_kafka, disturbances))


def test_kills_during_the_replay(tmp_path: Path, fresh_kafka: str, higgs: Path) -> None:
    disturbances = Disturbances(
        (0.15, flow.kill_scoring), (0.40, flow.kill_sink), (0.65, flow.kill_scoring)
    )
    check_complete(flow.run(tmp_path, play(higgs), fresh_kafka, disturbances))
