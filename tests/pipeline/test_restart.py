"""A broker or its changelogs are lost, the ClickHouse is not: nothing is lost by it."""

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient

from agents.formats import Format
from config.broker import ensure_topics, kafka_python_options
from config.settings import ClickHouseAddress
from renown.run.demo import Demo
from renown.run.options import SAMPLE, Play
from renown.run.report import Figures
from renown.run.stack import Stack
from streams.rebuild.changelogs import CHANGELOGS
from streams.rebuild.run import rebuild
from tests.support import flow
from tests.support.fixtures import APACHE
from tests.support.restarts import check_same, cut, figures_of, play, run_parts
from tests.support.stack import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """The sample in one run."""
    return flow.run(tmp_path_factory.mktemp("whole"), Demo(quiet=True))


def test_restarts_with_a_new_broker_give_the_figures_of_one_run(
    tmp_path: Path, whole: Figures
) -> None:
    parts = run_parts(
        tmp_path / "parts", cut(SAMPLE, tmp_path, 3), Format.JSONL, partitions=[4, 4, 3]
    )
    assert whole.duplicates > 0
    assert whole.undone > 0
    for before, part in pairwise(parts):
        assert part.rebuilt is not None
        assert part.rebuilt.accounts == before.figures.accounts_scored
        assert part.leaders_at_start == before.figures.top
    check_same(parts[-1], whole)


@pytest.mark.parametrize(
    "fresh_kafka", [pytest.param("apache", marks=APACHE)], indirect=True
)  # the embedded broker takes a group that ended for one that runs
def test_lost_changelogs_are_made_again_where_the_sink_stands(
    tmp_path: Path, fresh_kafka: str, whole: Figures
) -> None:
    first, second, third = (Play(path) for path in cut(SAMPLE, tmp_path, 3))
    settings = flow.settings_for(tmp_path, fresh_kafka).model_copy(update={"once": True})
    with Stack(settings, tmp_path / "stack", fresh=True, say=flow.say) as stack:
        play(stack, first)
        stack.stop_worker("sink")
        before = flow.updates_published(stack)
        play(stack, second, wait=False)
        wait_until(lambda: flow.updates_published(stack) > before, 60, "scores of the second part")
        stack.stop_worker("score-1")
        lose_changelogs(stack)
        address = ClickHouseAddress.parse(stack.settings.clickhouse.get_secret_value())
        report = rebuild(stack.settings, address, flow.say)
        assert report.continues == report.log
        assert 0 < report.ids < sum(whole.accepted.values())
        stack.start_worker("score-1")
        stack.start_worker("sink")
        play(stack, third)
        check_same(figures_of(stack), whole)


def lose_changelogs(stack: Stack) -> None:
    names = [topic.value for topic in CHANGELOGS]
    with closing(KafkaAdminClient(**kafka_python_options(stack.settings))) as admin:
        admin.delete_topics(names)
        wait_until(lambda: not set(names) & set(admin.list_topics()), 30, "deletion of topics")
    ensure_topics(stack.settings)
