"""Runs of the whole flow, undisturbed and disturbed, for tests."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from agents.report import ReplayReport
from config.broker import log_ends
from config.settings import ClickHouseAddress, Settings, load_settings
from renown.embedded.clickhouse import EmbeddedClickHouse
from renown.folders import DATABASE_FOLDER, DEMO_FOLDER
from renown.run.demo import Demo, run_demo
from renown.run.once import Completion
from renown.run.options import Play
from renown.run.player import Player
from renown.run.report import Figures
from renown.run.stack import Stack
from schemas.topics import Topic
from streams.sinks.client import Database

Action = Callable[[Stack], None]


def settings_for(
    folder: Path, kafka: str = "", *, exact_engagers: bool | None = None, score_model: int = 1
) -> Settings:
    """Settings of a run in ``folder``, whatever the environment says.

    With the shortest session, so that checkpoints grow old enough to be deleted during a test.
    """
    return load_settings(
        _env_file=None,
        data_dir=folder,
        kafka=kafka,
        clickhouse="",
        session_seconds=3.0,
        exact_engagers=exact_engagers,
        score_model=score_model,
    )


def say(line: str) -> None:
    """Progress, for a test that fails."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")


class Disturbances:
    """Actions on the stack, each when a share of the file (0 to 1) has been played."""

    def __init__(self, *steps: tuple[float, Action]) -> None:
        self._steps = list(steps)

    @property
    def done(self) -> bool:
        """Whether every action was taken."""
        return not self._steps

    def __call__(self, stack: Stack, player: Player) -> None:
        """Take the next action if its time has come."""
        moment = player.moment
        if self._steps and moment is not None and moment.fraction >= self._steps[0][0]:
            _share, action = self._steps.pop(0)
            say(f"disturbance at {moment.fraction:.0%}: {action.__name__}")
            action(stack)


def run(
    folder: Path,
    demo: Demo,
    kafka: str = "",
    disturbances: Disturbances | None = None,
    *,
    exact_engagers: bool | None = None,
    score_model: int = 1,
) -> Figures:
    """Run to the end; the figures."""
    settings = settings_for(folder, kafka, exact_engagers=exact_engagers, score_model=score_model)
    outcome = run_demo(settings, demo, say, during=disturbances)
    if disturbances is not None:
        assert disturbances.done, "the run ended before it was disturbed"
    return outcome.figures


def play(
    stack: Stack, what: Play | None = None, meanwhile: Callable[[], None] = lambda: None
) -> ReplayReport:
    """Play a file (default: the sample) and wait until all that follows from it is stored.

    A worker that ended itself is started again, as ``renown up`` does, after its last words.
    """

    def watch(_behind: tuple[int, int]) -> None:
        meanwhile()
        revive_workers(stack)

    player, completion = Player(stack.settings, what or Play()), Completion(stack.settings)
    try:
        player.start()
        completion.wait(lambda: player.playing, watch)
    finally:
        player.stop()
        completion.close()
    return player.report


def revive_workers(stack: Stack) -> None:
    """Start again what ended. It may have been right to end: the machine stood still too long."""
    for name, child in list(stack.workers.items()):
        if not child.running:
            say(f"{name} ended, starting it again: {' | '.join(child.last_lines(3))}")
            stack.stop_worker(name)
            stack.start_worker(name)


@contextmanager
def stored(folder: Path) -> Iterator[Database]:
    """What a run in ``folder`` left in its embedded ClickHouse."""
    with (
        EmbeddedClickHouse(folder / DEMO_FOLDER / DATABASE_FOLDER) as server,
        Database(ClickHouseAddress.parse(server.address)) as db,
    ):
        yield db


def first_offset(kafka: str, topic: Topic) -> int:
    """The highest first offset of the partitions of ``topic``: above 0 once it was truncated."""
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    try:
        partitions = consumer.partitions_for_topic(topic.value) or set()
        ends = consumer.beginning_offsets([TopicPartition(topic.value, p) for p in partitions])
        return int(max(ends.values()))
    finally:
        consumer.close()


def comparable(figures: Figures) -> dict[str, object]:
    """What must not depend on when and where anything was stopped."""
    return {
        "read": figures.read,
        "accepted": figures.accepted,
        "folded": figures.folded,
        "self": figures.self,
        "duplicates": figures.duplicates,
        "late": figures.late,
        "undone": figures.undone,
        "unmatched": figures.unmatched,
        "dead": figures.dead,
        "interactions": figures.rows["interactions"],
        "dead_letters": figures.rows["dead_letters"],
        "accounts_scored": figures.accounts_scored,
        "accounts_above_1": figures.accounts_above_1,
        "score_sum": figures.score_sum,
        "top": figures.top,
        "different": figures.audit["different"],
        "unscored": figures.audit["unscored"],
    }


def restart_scoring(stack: Stack) -> None:
    """SIGTERM to the score worker, and a new one."""
    stack.stop_worker("score-1")
    stack.start_worker("score-1")


def kill_scoring(stack: Stack) -> None:
    """SIGKILL to the score worker; whoever watches the stack starts a new one."""
    _kill(stack, "score-1")


def kill_sink(stack: Stack) -> None:
    """SIGKILL to the sink; whoever watches the stack starts a new one."""
    _kill(stack, "sink")


def _kill(stack: Stack, name: str) -> None:
    pid = stack.workers[name].pid
    assert pid, f"{name} does not run"
    os.killpg(pid, signal.SIGKILL)


def second_scorer_joins(stack: Stack) -> None:
    """Another score worker takes half of the partitions."""
    stack.start_worker("score-2")


def second_scorer_leaves(stack: Stack) -> None:
    """The first has to take them over again."""
    stack.stop_worker("score-2")


def restart_sink(stack: Stack) -> None:
    """SIGTERM to the sink, and a new one."""
    stack.stop_worker("sink")
    stack.start_worker("sink")


def twenty_seconds_without_clickhouse(stack: Stack) -> None:
    """ClickHouse stops and comes back at the same address; scores are published all the while."""
    assert stack.database is not None
    stack.database.stop()
    time.sleep(2.0)
    published = updates_published(stack)
    time.sleep(18.0)
    assert updates_published(stack) > published, "scoring stopped with the database"
    stack.database.start()


def updates_published(stack: Stack) -> int:
    """Records in ``scores``."""
    consumer = KafkaConsumer(
        bootstrap_servers=stack.settings.kafka, enable_incremental_fetch_sessions=False
    )
    try:
        partitions = range(stack.settings.partitions)
        ends = log_ends(consumer, [TopicPartition(Topic.SCORES.value, p) for p in partitions])
        return sum(ends.values())
    finally:
        consumer.close()
