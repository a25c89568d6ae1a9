"""The sample data set through the whole flow: files, broker, workers, ClickHouse, audit."""

import json
from pathlib import Path
from typing import Any

import pytest

from renown.run.demo import Demo
from renown.run.options import SAMPLE, Play
from schemas.topics import Topic
from tests.support import flow
from tests.support.flow import Disturbances

pytestmark = pytest.mark.timeout(400)

SLOWED = Play(speed=6_000.0)
"""The three days of the sample in about 45 s."""


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What the maker of the sample counted while making it."""
    found: dict[str, Any] = json.loads((SAMPLE.parent / "expected.json").read_text())
    return found


def test_the_sample_gives_what_its_maker_counted(
    tmp_path: Path, fresh_kafka: str, expected: dict[str, Any]
) -> None:
    figures = flow.run(tmp_path, Demo(quiet=True), fresh_kafka)
    assert figures.read == expected["read"]
    assert figures.accepted == expected["accepted"]
    assert figures.duplicates == expected["duplicates"]
    assert figures.undone == expected["undone"]
    assert figures.unmatched == expected["unmatched"]
    assert figures.late == expected["late"]
    assert figures.self == expected["self"]
    assert figures.dead == sum(expected["dead"].values())
    assert figures.rows["dead_letters"] == figures.dead
    assert figures.accounts_above_1 == expected["accounts"]
    # Accounts of which everything was taken back keep a score, the lowest one.
    assert figures.accounts_scored >= figures.accounts_above_1
    assert figures.audit == {"checked": figures.accounts_scored, "different": 0, "unscored": 0}
    assert figures.sound


def test_restarts_and_rebalances_change_no_figure(tmp_path: Path, fresh_kafka: str) -> None:
    calm = flow.run(tmp_path / "calm", Demo(quiet=True))
    disturbed = flow.run(
        tmp_path / "disturbed",
        Demo(SLOWED, quiet=True),
        fresh_kafka,
        Disturbances(
            (0.15, flow.restart_scoring),
            (0.35, flow.second_scorer_joins),
            (0.60, flow.second_scorer_leaves),
            (0.80, flow.restart_sink),
        ),
    )
    assert flow.comparable(disturbed) == flow.comparable(calm)
    if fresh_kafka:
        assert flow.first_offset(fresh_kafka, Topic.SCORE_CHANGELOG) > 0, "never truncated"


@pytest.mark.acceptance
def test_twenty_seconds_without_clickhouse_change_no_figure(tmp_path: Path) -> None:
    calm = flow.run(tmp_path / "calm", Demo(quiet=True))
    disturbed = flow.run(
        tmp_path / "disturbed",
        Demo(SLOWED, quiet=True),
        disturbances=Disturbances((0.30, flow.twenty_seconds_without_clickhouse)),
    )
    assert flow.comparable(disturbed) == flow.comparable(calm)


@pytest.mark.acceptance
def test_playing_twice_adds_nothing_but_duplicates(tmp_path: Path) -> None:
    once = flow.run(tmp_path / "once", Demo(quiet=True))
    twice = flow.run(tmp_path / "twice", Demo(Play(repeat=2), quiet=True))
    assert twice.accepted == once.accepted
    assert twice.rows["interactions"] == once.rows["interactions"]
    assert twice.duplicates > once.duplicates
    assert (twice.score_sum, twice.top) == (once.score_sum, once.top)
