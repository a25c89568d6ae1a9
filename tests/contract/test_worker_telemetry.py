"""What a real score worker and sink tell operators is exact, and names nobody."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from kafka import KafkaProducer

from config.broker import ensure_topics
from config.settings import ClickHouseAddress, load_settings
from renown.embedded.broker import EmbeddedBroker
from renown.embedded.clickhouse import EmbeddedClickHouse
from schemas.interaction import Heartbeat
from schemas.kinds import Kind
from schemas.topics import SOURCE_TOPICS, Topic
from streams.sinks.client import Database, connect
from streams.sinks.migrate import migrate
from tests.support.interactions import account_in, encode, interaction
from tests.support.stack import wait_until
from tests.support.weighed import Row, frame
from tests.support.workers import Worker, worker

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(150),
    pytest.mark.xdist_group("telemetry"),
]

PARTITIONS: Final = 2
HOME: Final = 0
SECRET: Final = "open-Sesame/9!"
NOW: Final = int(time.time() * 1000)
DAY: Final = 86_400_000
FANS: Final = [account_in(HOME, PARTITIONS, f"fan{number}") for number in range(3)]
STARS: Final = [account_in(number % PARTITIONS, PARTITIONS, f"star{number}") for number in range(3)]
OUTCOMES: Final = {
    "accepted": 5, "duplicate": 2, "self": 1, "undone": 1, "unmatched": 1, "late": 1, "dead": 4,
    "heartbeat": 1,
}  # fmt: skip
REASONS: Final = {"bad json": 1, "no target": 2, "wrong partition": 1}
ROWS: Final = OUTCOMES["accepted"] + OUTCOMES["undone"]
COMMON: Final = {
    "renown_events", "renown_event_latency_seconds", "renown_consumer_lag", "renown_batch_events",
    "renown_stage_seconds", "renown_dead_letters", "renown_rebalances", "renown_holes",
    "renown_build_info",
}  # fmt: skip
OF_SCORE: Final = {
    "renown_duplicates", "renown_late", "renown_undo_unmatched", "renown_accounts",
    "renown_state_bytes", "renown_clock_seconds", "renown_checkpoint_seconds",
    "renown_checkpoint_age_seconds", "renown_changelog_bytes", "renown_recovery_seconds",
    "renown_scores_emitted",
}  # fmt: skip
OF_SINK: Final = {
    "renown_sink_rows", "renown_sink_insert_seconds", "renown_sink_oldest_row_age_seconds",
    "renown_clickhouse_up",
}  # fmt: skip


class Setup:
    """A broker, a database, and both workers on them."""

    def __init__(self, folder: Path, broker: EmbeddedBroker, database: EmbeddedClickHouse) -> None:
        self.broker, self.database = broker, database
        self.url = database.address.replace("default@", f"default:{quote(SECRET, safe='')}@")
        self.settings: dict[str, Any] = {
            "kafka": broker.address,
            "kafka_user": "worker",
            "kafka_password": SECRET,
            "clickhouse": self.url,
            "partitions": PARTITIONS,
            "session_seconds": 3.0,
            "truncate_changelog": False,
            "once": True,  # clocks follow from the events alone
            "log_format": "json",
            "log_level": "INFO",
        }
        ensure_topics(load_settings(_env_file=None, **self.settings))
        with connect(self.address) as db:
            migrate(db)
        self.score: Worker
        self.sink: Worker

    @property
    def address(self) -> ClickHouseAddress:
        return ClickHouseAddress.parse(self.url)


def like(identity: str, **fields: Any) -> bytes:
    given: dict[str, Any] = {"kind": Kind.LIKE, "actor": FANS[0], "target": STARS[0], "at": NOW}
    return encode(interaction(id=identity, **(given | {"received_at": NOW} | fields)))


def events() -> list[bytes]:
    """Records of one source that come to ``OUTCOMES``."""
    accepted = [
        like(f"like {number}", actor=FANS[number % 3], target=STARS[number % 3])
        for number in range(5)
    ]
    stranger = account_in(1 - HOME, PARTITIONS, "stranger")
    return [
        *accepted,
        *accepted[:2],
        like("self", target=FANS[0]),
        like("like 0", undo=True, at=NOW + 1),
        like("never heard of", undo=True),
        like("late", at=NOW - 91 * DAY),
        b'{"id": "cut off',
        like("nobody", target=None),
        like("nobody else", target=None),
        like("elsewhere", actor=stranger),
        encode(Heartbeat(clock=NOW + 5)),
    ]


def publish(address: str, topic: Topic, partition: int, *values: bytes) -> None:
    with closing(KafkaProducer(bootstrap_servers=address, acks="all")) as producer:
        for value in values:
            producer.send(topic.value, value, key=b"key", partition=partition).get(10)


def first_answer(one: Worker) -> tuple[int, int]:
    """Statuses of ``/health`` and ``/ready`` as soon as it listens."""
    wait_until(lambda: one.ask("/health") is not None, 30, f"{one.log.stem} listens")
    health, ready = one.ask("/health"), one.ask("/ready")
    assert health is not None
    assert ready is not None
    return health.status, ready.status


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """Both workers, after they have dealt with ``events``."""
    folder = tmp_path_factory.mktemp("workers")
    with EmbeddedBroker() as broker, EmbeddedClickHouse() as database:
        made = Setup(folder, broker, database)
        with (
            worker("score", folder, **made.settings) as score,
            worker("sink", folder, **made.settings) as sink,
        ):
            made.score, made.sink = score, sink
            assert first_answer(score) == (200, 503)
            assert first_answer(sink) == (200, 503)
            wait_until(score.ready, 60, "the score worker is ready")
            wait_until(sink.ready, 60, "the sink is ready")
            publish(broker.address, Topic.LIKE, HOME, *events())
            wait_until(lambda: settled(made), 60, "everything is stored")
            yield made


def settled(made: Setup) -> bool:
    """Everything published is weighed, scored, checkpointed and stored."""
    return (
        made.score.value("renown_events_total", stage="weigh") == sum(OUTCOMES.values())
        and made.score.value("renown_events_total", stage="score", outcome="applied") == ROWS
        and made.score.value("renown_checkpoint_age_seconds") == 0
        and not made.score.by("renown_consumer_lag", "stage")
        and not made.sink.by("renown_consumer_lag", "stage")
        and made.sink.value("renown_sink_rows_total", table="dead_letters") == OUTCOMES["dead"]
    )


def test_each_event_is_counted_under_what_became_of_it(setup: Setup) -> None:
    score, sink = setup.score, setup.sink
    weighed = score.by("renown_events_total", "topic", "outcome", stage="weigh")
    assert weighed == {(Topic.LIKE.value, name): number for name, number in OUTCOMES.items()}
    assert score.by("renown_events_total", "outcome", stage="score") == {"applied": ROWS}
    assert score.by("renown_dead_letters_total", "reason") == REASONS
    assert score.value("renown_duplicates_total") == OUTCOMES["duplicate"]
    assert score.value("renown_late_total") == OUTCOMES["late"]
    assert score.value("renown_undo_unmatched_total") == OUTCOMES["unmatched"]
    updates = score.value("renown_scores_emitted_total")
    assert updates >= len(STARS)
    stored = sink.by("renown_events_total", "topic", stage="sink", outcome="stored")
    assert stored == {"weighed": ROWS, "scores": updates, "dead-letters": OUTCOMES["dead"]}
    rows = sink.by("renown_sink_rows_total", "table")
    with Database(setup.address) as db:
        for table, number in rows.items():
            assert db.query(f"SELECT count() FROM {table}") == [(number,)], table
    assert rows == {
        "interactions_rows": ROWS, "scores": updates, "dead_letters": OUTCOMES["dead"],
    }  # fmt: skip


def test_gauges_show_the_state(setup: Setup) -> None:
    score, sink = setup.score, setup.sink
    assert score.value("renown_accounts") == len(STARS)
    clocks = score.by("renown_clock_seconds", "partition")
    assert clocks == {str(number): (NOW + 5) / 1000 for number in range(PARTITIONS)}
    lags = {
        (found.labels["stage"], found.labels["topic"], found.labels["partition"])
        for one in (score, sink)
        for found in one.families()["renown_consumer_lag"].samples
    }
    wanted = [
        *(("weigh", topic.value) for topic in SOURCE_TOPICS),
        *(("score", "weighed"), ("sink", "weighed"), ("sink", "scores"), ("sink", "dead-letters")),
    ]
    assert lags == {(*key, str(number)) for key in wanted for number in range(PARTITIONS)}
    sizes = score.by("renown_state_bytes", "kind")
    assert sizes.keys() == {"weigh", "score"}
    sent = score.by("renown_changelog_bytes_total", "stage")
    assert all(sent[stage] > sizes[stage] > 100 for stage in sizes), (sent, sizes)
    assert score.by("renown_recovery_seconds", "stage").keys() == {"weigh", "score"}
    assert score.value("renown_rebalances_total") == 1
    assert sink.value("renown_clickhouse_up") == 1
    assert sink.value("renown_sink_oldest_row_age_seconds") == 0


def test_times_and_sizes_are_observed_once_for_each_row(setup: Setup) -> None:
    for one, stage in ((setup.score, "weigh"), (setup.score, "score"), (setup.sink, "sink")):
        counts = one.by("renown_event_latency_seconds_count", "since", stage=stage)
        assert counts == {"event": ROWS, "received": ROWS}, stage
        sums = one.by("renown_event_latency_seconds_sum", "since", stage=stage)
        assert 0 < sums["event"] < 300 * ROWS, stage
    score, sink = setup.score, setup.sink
    sizes = score.by("renown_batch_events_sum", "stage")
    assert sizes == {"weigh": sum(OUTCOMES.values()), "score": ROWS}
    spent = score.by("renown_stage_seconds_total", "stage")
    assert spent.keys() == {"weigh", "score", "emit", "checkpoint"}
    assert sink.by("renown_stage_seconds_total", "stage").keys() == {"insert"}
    taken = score.by("renown_checkpoint_seconds_count", "stage")
    assert taken["weigh"] >= 1
    assert taken["score"] >= 1
    inserts = sink.by("renown_sink_insert_seconds_count", "table")
    assert inserts.keys() == {"interactions_rows", "scores", "dead_letters"}


def test_every_metric_is_there_and_says_what_to_do(setup: Setup) -> None:
    for one, names in ((setup.score, COMMON | OF_SCORE), (setup.sink, COMMON | OF_SINK)):
        families = {n: f for n, f in one.families().items() if n.startswith("renown_")}
        assert families.keys() - {f"{n}_created" for n in names} == names
        for name in names - {"renown_build_info"}:
            text = families[name].documentation
            assert any(f" If {what}" in text for what in ("high", "low", "it ", "one ", "0:")), name


def test_no_label_holds_an_account(setup: Setup) -> None:
    values = {
        value
        for one in (setup.score, setup.sink)
        for family in one.families().values()
        for sample in family.samples
        for value in sample.labels.values()
    }
    assert not [value for value in values if ":" in value]
    assert not [account for account in (*FANS, *STARS) if account.split(":")[1] in " ".join(values)]


def test_what_is_old_missing_or_no_frame_is_counted_apart(setup: Setup) -> None:
    old = frame([], source=0, first=0, last=0, clock=NOW)
    beyond = frame([Row(source=7, offset=70)])
    values = old.encode(), beyond.encode(), b"\x80 noise"
    before = setup.score.by("renown_events_total", "outcome", stage="score")
    publish(setup.broker.address, Topic.WEIGHED, 1, *values)
    wait_until(
        lambda: (
            setup.score.by("renown_events_total", "outcome", stage="score")
            == {**before, "old": 1, "hole": 1, "unreadable": 1}
        ),
        20,
        "three frames without effect",
    )
    wait_until(
        lambda: setup.sink.value("renown_events_total", outcome="unreadable") == 1, 20, "a letter"
    )
    for one in (setup.score, setup.sink):
        assert one.value("renown_holes_total") == 1
    assert setup.sink.by("renown_dead_letters_total", "reason") == {"unreadable weighed": 1}
    assert setup.sink.value("renown_sink_rows_total", table="dead_letters") == OUTCOMES["dead"] + 1
    assert setup.sink.value("renown_sink_rows_total", table="interactions_rows") == ROWS


def test_what_is_away_is_told_and_logs_betray_nobody(setup: Setup) -> None:
    setup.database.stop()
    publish(setup.broker.address, Topic.LIKE, HOME, like("unstored", target=STARS[1]))
    wait_until(lambda: not setup.sink.value("renown_clickhouse_up"), 20, "ClickHouse is away")
    wait_until(lambda: setup.sink.value("renown_sink_oldest_row_age_seconds") > 1, 20, "old rows")
    answer = setup.sink.ask("/ready")
    assert answer is not None
    assert answer.status == 503
    assert answer.checks["clickhouse"] == "ClickHouse is away"
    assert setup.sink.value("renown_consumer_lag", topic="weighed") >= 1, "buffered is not stored"
    assert setup.score.ready(), "scoring goes on"
    setup.broker.stop()
    wait_until(lambda: not setup.score.ready(), 20, "the broker is missed")
    answer = setup.score.ask("/ready")
    assert answer is not None
    assert answer.checks["broker"].startswith("no broker has answered for")
    for one in (setup.score, setup.sink):
        answer = one.ask("/health")
        assert answer is not None
        assert answer.status == 200, "a restart would not help"

    for one in (setup.score, setup.sink):
        one.process.kill()  # asked to end it would wait for the broker
        assert_readable_and_discreet(one)


def assert_readable_and_discreet(one: Worker) -> None:
    """Its log is JSON, of libraries too, and holds no secret and no account."""
    text = one.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert {(line["job"], line["pid"]) for line in lines} == {
        (f"renown-{one.log.stem}", one.process.pid)
    }
    assert {"renown", "aiokafka"} <= {line["logger"].split(".")[0] for line in lines}
    hidden = [SECRET, quote(SECRET, safe=""), *(a.split(":")[1] for a in (*FANS, *STARS))]
    assert not [word for word in hidden if word in text]
