"""A rebuild on real servers: what it reads is what was stored, and workers find what it writes."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer
from pydantic import SecretStr

from config.broker import ensure_topics, log_incarnation
from config.errors import RenownError, WrongUse
from config.settings import Settings, load_settings
from renown.audit import audit
from renown.embedded.broker import EmbeddedBroker
from renown.queries import run_report
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.core.score import ScorePartition
from streams.core.weigh_partition import WeighPartition
from streams.groups import SCORE_GROUP
from streams.rebuild.changelogs import CHANGELOGS, Changelogs
from streams.rebuild.past import Past
from streams.rebuild.reader import Block, BlockReader
from streams.rebuild.run import RebuildReport, rebuild, rebuild_if_new
from streams.rebuild.stored import Stored, past_logs
from streams.sinks.client import Database
from streams.sinks.lineage import chain_of, store_lineage
from streams.sinks.writer import Writer
from tests.support.past_story import Story
from tests.support.past_world import MODEL, MemoryRows, Message, World, content
from tests.support.sink import add, fresh_database, records
from tests.support.stack import wait_until


@pytest.fixture
def db(clickhouse: str) -> Iterator[Database]:
    with fresh_database(clickhouse) as database:
        yield database


@pytest.fixture
def kafka() -> Iterator[str]:
    """A broker of its own, as topics have fixed names."""
    with EmbeddedBroker() as broker:
        yield broker.address


def settings_of(db: Database, kafka: str, partitions: int, **others: Any) -> Settings:
    a = db.address
    url = f"clickhouse://{a.user}:{a.password}@{a.host}:{a.port}/{a.database}"
    return load_settings(
        kafka=kafka,
        clickhouse=SecretStr(url),
        partitions=partitions,
        seen_horizon=1000,
        session_seconds=3.0,
        **others,
    )


def put(db: Database, world: World) -> None:
    """Store in ClickHouse what the world's own sink has stored so far."""
    writer = Writer(db.address, world.log)
    writer.open()
    for number, frames in enumerate(world.weighed):
        start = writer.claim(Topic.WEIGHED, number)
        if rest := records(frames[start : world.progress[number].next_offset], start):
            add(writer, Topic.WEIGHED, number, rest)
        updates = [e.update for e in world.scores if e.update.partition == number]
        start = writer.claim(Topic.SCORES, number)
        if rest := records(updates[start:], start):
            add(writer, Topic.SCORES, number, rest)
    writer.flush()
    writer.close()


def feed(world: World, messages: list[Message]) -> None:
    for first in range(0, len(messages), 15):
        world.publish(messages[first : first + 15])
        world.run()


def rows_of(blocks: Iterable[Block]) -> list[tuple[Any, ...]]:
    return [row for block in blocks for row in zip(*block, strict=True)]


@pytest.mark.parametrize(("seed", "partitions"), [(2, [2, 2]), (3, [1, 3])])
def test_clickhouse_gives_what_was_stored(db: Database, seed: int, partitions: list[int]) -> None:
    story, worlds = Story(seed), list[World]()
    for number, count in enumerate(partitions):
        world = World(count, log=100 + number, before=worlds)
        if worlds:
            store_lineage(db, world.log, worlds[-1].log)
            world.rebuild()
        for state in world.score:
            state.epoch = 5 + number
        feed(world, story.messages(70))
        # the last one was killed: half of what it made is stored
        last = number == len(partitions) - 1
        world.store({n: len(f) // 2 for n, f in enumerate(world.weighed)} if last else None)
        put(db, world)
        worlds = [*worlds, world]
    chain = [world.log for world in worlds]
    assert chain_of(db, chain[-1]) == chain
    logs = past_logs(db, chain)
    assert logs == [world.past_log() for world in worlds]

    for log, count in ((chain[-1], partitions[-1]), (999, partitions[-1])):
        world = World(count, log=log)
        world.before = worlds[:-1] if log == chain[-1] else worlds
        past = Past(logs, world.log, world.partitions)
        memory = MemoryRows(worlds, past)
        with BlockReader(db.address) as reader:
            stored = Stored(reader, past)
            assert stored.newest_times() == memory.newest_times()
            assert stored.newest_epoch() == (6 if log == chain[-1] else 0)
            for source in past.sources:
                assert rows_of(stored.alike_rows(source, 3)) == rows_of(
                    memory.alike_rows(source, 3)
                )
                if past.others:
                    assert stored.other_rows(source, 20) == memory.other_rows(source, 20)
            hour = story.clock // 3_600_000 - 20
            for number in range(count):
                for found, expected in (
                    (stored.accounts(number, hour), memory.accounts(number, hour)),
                    (stored.rows(number, hour - 800), memory.rows(number, hour - 800)),
                    (stored.published(number), memory.published(number)),
                ):
                    assert sorted(rows_of(found)) == sorted(rows_of(expected))


class Rebuilt:
    """A log of two partitions that ended, and a new broker for three."""

    def __init__(self, db: Database, kafka: str) -> None:
        self.db, self.story = db, Story(5)
        self.old = World(2, log=100)
        feed(self.old, [*self.story.messages(60), self.story.beat()])
        self.old.store()
        put(db, self.old)
        self.settings = settings_of(db, kafka, 3)
        ensure_topics(self.settings)
        self.said: list[str] = []

    def rebuild(self) -> RebuildReport:
        return rebuild(self.settings, self.db.address, self.said.append)

    def states(self, log: int) -> World:
        """What workers would recover."""
        world = World(3, log=log, before=[self.old])
        with Changelogs(self.settings) as changelogs:
            for number in range(3):
                weigh, score = (
                    [s.state for s in changelogs.snapshots(t, number, changelogs.read(t, number))]
                    for t in CHANGELOGS
                )
                world.weigh[number] = WeighPartition(number, 3, MODEL, 1000, weigh)
                world.score[number] = ScorePartition.restore(
                    score, MODEL, once=True, emit_seconds=0
                )
        return world


@pytest.fixture
def rebuilt(db: Database, kafka: str) -> Rebuilt:
    return Rebuilt(db, kafka)


def test_workers_recover_what_a_rebuild_wrote(rebuilt: Rebuilt) -> None:
    db, settings, old = rebuilt.db, rebuilt.settings, rebuilt.old
    before = db.query("SELECT * FROM leaderboard ORDER BY rank")
    assert len(before) > 3
    report = rebuild_if_new(settings, rebuilt.said.append)
    log = log_incarnation(settings)
    assert report is not None
    assert (report.log, report.continues, report.partitions) == (log, 100, 3)
    assert report.rows > len(old.rows)
    assert report.accounts == sum(state.accounts for state in old.score)
    assert report.ids == len({(row.source[0], row.values.id) for row in old.rows})
    assert report.unmatched == old.totals()["unmatched"] > 0
    assert rebuild_if_new(settings, rebuilt.said.append) is None

    new, expected = rebuilt.states(log), World(3, log=log, before=[old])
    expected.rebuild()
    assert content(new) == content(expected) == content(old)
    for found, made in zip(new.weigh, expected.weigh, strict=True):
        assert found.snapshot(1) == made.snapshot(1)
    assert new.run() == []

    assert db.query("SELECT * FROM leaderboard ORDER BY rank") == before
    suffix = [*rebuilt.story.messages(60), rebuilt.story.beat()]
    for world in (old, new):
        feed(world, suffix)
    new.updates += [u for state in new.score for u in state.updates(1e9, everything=True)]
    new.store()
    put(db, new)
    assert content(new) == content(old)
    checked = audit(db)
    assert (checked.log, checked.different, checked.unscored) == (log, 0, 0)
    assert checked.examples == []
    assert checked.checked == len({each.update.profile for w in (old, new) for each in w.scores})
    figures = run_report(db, log)
    assert figures.rows["interactions"] + figures.rows["own_posts"] == len(old.rows + new.rows)
    assert figures.rows["own_posts"] > 0
    assert sum(figures.accepted.values()) == old.totals(INTERACTION_TOPICS)["accepted"]
    assert figures.totals["undone"] == old.totals(INTERACTION_TOPICS)["undone"]


def test_a_rebuild_can_be_done_again_until_the_state_has_read_on(rebuilt: Rebuilt) -> None:
    first, second = rebuilt.rebuild(), rebuilt.rebuild()
    assert (first.ids, first.accounts) == (second.ids, second.accounts)
    with Changelogs(rebuilt.settings) as changelogs:
        held = changelogs.read(Topic.WEIGH_CHANGELOG, 1)
        assert held.epoch == 2
        [snapshot] = changelogs.snapshots(Topic.WEIGH_CHANGELOG, 1, held)
        state = WeighPartition(1, 3, MODEL, 1000, [snapshot.state])
        state.apply(Topic.LIKE, [], 0, 0.0)
        changelogs.write(Topic.WEIGH_CHANGELOG, 1, state, held, 0, 3)
        changelogs.commit()
    with pytest.raises(WrongUse, match="holds the state of partition 1 already: start the workers"):
        rebuilt.rebuild()


def test_another_number_of_partitions_is_refused_with_what_to_do(rebuilt: Rebuilt) -> None:
    other = rebuilt.settings.model_copy(update={"partitions": 2})
    with pytest.raises(WrongUse, match=r"has 3 partitions, .* says 2: .* run renown rebuild"):
        ensure_topics(other)


def test_it_is_refused_while_a_worker_runs(rebuilt: Rebuilt) -> None:
    settings = rebuilt.settings
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": SCORE_GROUP,
            "session.timeout.ms": 6_000,
            "max.poll.interval.ms": 6_000,
        }
    )
    consumer.subscribe([Topic.WEIGHED.value])
    try:
        wait_until(lambda: consumer.poll(0.1) or consumer.assignment(), 60, "a member of the group")
        with pytest.raises(RenownError, match=f"workers of {SCORE_GROUP} run on .*: stop them"):
            rebuilt.rebuild()
    finally:
        consumer.close()


def test_without_rows_there_is_nothing_to_rebuild(db: Database, kafka: str) -> None:
    settings = settings_of(db, kafka, 1)
    ensure_topics(settings)
    assert rebuild_if_new(settings, print) is None
    with pytest.raises(WrongUse, match="holds no interactions: there is nothing to rebuild"):
        rebuild(settings, db.address, print)
    assert chain_of(db, 7) == [7]


def test_a_state_that_knows_actors_is_not_rebuilt_without_them(db: Database, kafka: str) -> None:
    settings = settings_of(db, kafka, 1, score_model=2)
    with pytest.raises(WrongUse, match=r"score model 2 cannot be rebuilt: .* RENOWN_SCORE_MODEL=1"):
        rebuild(settings, db.address, print)
