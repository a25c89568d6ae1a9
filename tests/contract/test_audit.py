"""The audit in SQL agrees with the engine and with the reference, and finds what was altered."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import renown.audit
from renown.audit import audit, scores_at
from schemas.frames import Frame
from schemas.kinds import POST
from schemas.networks import NETWORKS
from schemas.topics import Topic
from streams.core.windows import NAMED
from streams.sinks.client import Database
from tests.support.data import HIGGS, data_file
from tests.support.higgs import higgs_frames
from tests.support.histories import NOW, histories
from tests.support.oracle import load_oracle, model_file
from tests.support.sink import LOG, add, fresh_database, records, scored, store, writer_of
from tests.support.weighed import HOUR, Row, frame, live, numbered

_logs = count(LOG)
END = NOW * HOUR + 500

WORLD = numbered(
    Row(
        actor=f"twitter:a{i * i % 23}",
        target=f"twitter:t{i % 5}",
        hour=1000 + i * 37 % 400,
        cls=i % 7,
        kind=i % 5,
        network=13 * (i % 3 == 0),
        source=i % 4,
    )
    for i in range(200)
)


@pytest.fixture(scope="module")
def db(clickhouse: str) -> Iterator[Database]:
    """Worlds do not meet in it, since each has a log of its own."""
    with fresh_database(clickhouse) as database:
        yield database


def frames_of(rows: Sequence[Row]) -> list[Frame]:
    """One or two frames for each source."""
    sources: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        sources[row.source].append(row)
    frames = []
    for mine in sources.values():
        half = len(mine) // 2
        frames += [frame(part) for part in (mine[:half], mine[half:]) if part]
    return frames


def stored(
    db: Database, rows: Sequence[Row], *, with_scores: bool = True, exact_engagers: bool = True
) -> tuple[int, int]:
    """Store a world under a log of its own; returns the log and the number of scores."""
    log = next(_logs)
    frames = frames_of(numbered(rows))
    writer = writer_of(db, log)
    try:
        store(writer, Topic.WEIGHED, frames)
        updates = scored(frames, exact_engagers=exact_engagers) if with_scores else []
        if updates:
            store(writer, Topic.SCORES, updates)
    finally:
        writer.close()
    return log, len(updates)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(histories().filter(bool))
def test_it_agrees_with_the_engine(db: Database, history: list[Row]) -> None:
    log, updates = stored(db, history)
    report = audit(db, log=log)
    assert report.examples == []
    assert (report.checked, report.different, report.unscored) == (updates, 0, 0)


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(histories(max_size=60).filter(bool))
def test_it_agrees_with_the_reference(db: Database, test_data: Path, history: list[Row]) -> None:
    oracle = load_oracle(test_data)
    history = [replace(row, amount=1) for row in history]
    log, _ = stored(db, history, with_scores=False)
    rows = live(history)
    targets = sorted({row.target for row in history})
    names = targets + sorted({row.actor for row in history})
    scores = oracle.score_events(
        *np.array(
            [
                (
                    row.network,
                    names.index(row.actor),
                    names.index(row.target),
                    row.hour,
                    row.kind,
                    row.cls,
                )
                for row in rows
                if row.kind != POST
            ]
            or np.empty((0, 6)),
            np.int64,
        ).T,
        NOW,
        len(names),
        len(NETWORKS),
        posts=np.array(
            [(r.network, names.index(r.target), r.hour) for r in rows if r.kind == POST], np.int64
        )
        .reshape(-1, 3)
        .T,
    )
    expected = dict(zip(targets, scores.tolist(), strict=False))
    found = scores_at(db, END, log=log)
    assert found == {account: expected[account] for account in found}
    assert all(score == 1000 for account, score in expected.items() if account not in found)


def test_it_selects_the_same_sample_of_the_engagers(db: Database) -> None:
    hot = [
        Row(
            actor=f"twitter:a{i}",
            target="twitter:hot",
            hour=5000 + i * 17 % 900,
            cls=i % 7,
            kind=i % 5,
            network=13 * (i % 3 == 0),
            source=i % 4,
        )
        for i in range(2 * NAMED)
    ]
    undone = [row.undone for row in hot[::5]]
    repeats = [replace(row, hour=row.hour + 40, cls=(row.cls + 2) % 7) for row in hot[::3]]
    log, updates = stored(db, [*hot, *repeats, *undone, *WORLD], exact_engagers=False)
    levels: dict[str, int] = dict(db.query(f"SELECT profile, level FROM scores WHERE log = {log}"))
    level = levels.pop("twitter:hot")
    assert level > 0
    assert set(levels.values()) == {0}
    report = audit(db, log=log)
    assert report.examples == []
    assert (report.checked, report.different, report.unscored) == (updates, 0, 0)
    assert db.query(f"SELECT count() FROM audit_differences WHERE log = {log}") == [(0,)]
    # of another sample, or of all engagers, the sums are others
    for other, different in ((level + 1, 1), (level - 1, 1), (0, 1), (level, 0)):
        db.run(
            f"ALTER TABLE scores UPDATE level = {other}"
            f" WHERE log = {log} AND profile = 'twitter:hot' SETTINGS mutations_sync = 2"
        )
        assert audit(db, log=log).different == different, other


def test_it_agrees_with_the_golden_examples(db: Database, test_data: Path) -> None:
    golden = json.loads(model_file(test_data, "golden.json").read_bytes())
    seen = 0
    for example in golden["examples"]:
        rows = [
            Row(f"twitter:{actor}", f"twitter:{target}", pane, kind, cls, network)
            for network, actor, target, pane, kind, cls in example["rows"]
            if actor != target
        ]
        rows += [
            Row("twitter:own", f"twitter:{author}", pane, POST, 3, network, source=-1)
            for network, author, pane in example["posts"]
        ]
        if any(row.kind != POST for row in rows):
            log, _ = stored(db, rows, with_scores=False)
            at = example["now"] * HOUR + 500
            assert scores_at(db, at, log=log) == {"twitter:0": example["score"]}, example["name"]
            seen += 1
    assert seen >= 10


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ("UPDATE weight = weight + 1024", {"weights"}),
        ("UPDATE class = 6", {"score", "bits", "influence"}),
        ("UPDATE undo = true", {"interactions", "weights", "engagers"}),
        ("DELETE", {"interactions", "weights"}),
    ],
)
def test_an_altered_row_is_found(db: Database, change: str, fields: set[str]) -> None:
    log, _ = stored(db, WORLD)
    assert audit(db, log=log).different == 0
    last = max((row for row in WORLD if row.cls == 0), key=lambda row: row.hour)
    db.run(
        f"ALTER TABLE interactions_rows {change} WHERE log = {log} AND target = '{last.target}'"
        f" AND source_topic = '{Topic.of_kind(_kind(last.source)).value}'"
        f" AND source_offset = {last.offset} SETTINGS mutations_sync = 2"
    )
    report = audit(db, log=log)
    assert (report.checked, report.different) == (5, 1)
    (example,) = report.examples
    assert example.account == last.target
    assert example.fields.keys() >= fields
    assert str(example).startswith(f"{last.target}: ")
    assert db.query(f"SELECT account FROM audit_differences WHERE log = {log}") == [(last.target,)]
    assert audit(db, log=log, account=last.target).different == 1
    assert audit(db, log=log, account="twitter:t9").checked == 0


def _kind(source: int) -> str:
    return ("like", "mention", "comment", "retweet", "recommendation")[source]


@pytest.mark.parametrize("field", ["score", "bits", "influence", "momentum", "engagers_30d"])
def test_an_altered_score_is_found(db: Database, field: str) -> None:
    log, _ = stored(db, WORLD)
    db.run(
        f"ALTER TABLE scores UPDATE {field} = {field} + 1"
        f" WHERE log = {log} AND profile = 'twitter:t2' SETTINGS mutations_sync = 2"
    )
    report = audit(db, log=log)
    assert [each.account for each in report.examples] == ["twitter:t2"]
    assert list(report.examples[0].fields) == [field.partition("_")[0]]


def test_an_account_without_its_score_is_counted(db: Database) -> None:
    log, _ = stored(db, WORLD)
    db.run(
        f"ALTER TABLE scores DELETE WHERE log = {log} AND profile = 'twitter:t2'"
        " SETTINGS mutations_sync = 2"
    )
    report = audit(db, log=log)
    assert (report.checked, report.different, report.unscored) == (4, 0, 1)


def test_a_score_whose_rows_are_not_stored_yet_waits(db: Database) -> None:
    frames = frames_of(WORLD)
    log = next(_logs)
    writer = writer_of(db, log)
    store(writer, Topic.SCORES, scored(frames))
    assert audit(db, log=log).checked == 0
    store(writer, Topic.WEIGHED, frames[:-1])
    assert audit(db, log=log).checked == 0
    store(writer, Topic.WEIGHED, frames[-1:])
    writer.close()
    report = audit(db, log=log)
    assert (report.checked, report.different) == (5, 0)


def test_the_newest_log_is_audited(db: Database) -> None:
    log, updates = stored(db, WORLD)
    report = audit(db)
    assert (report.log, report.checked) == (log, updates)


def test_accounts_in_shares_come_to_the_same(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    log, _ = stored(db, WORLD)
    moment = 1200 * HOUR
    whole, then = audit(db, log=log), audit(db, log=log, at=moment)
    assert then.checked == len(scores_at(db, moment, log=log)) == 5
    monkeypatch.setattr(renown.audit, "_ROWS_AT_ONCE", 30)
    assert audit(db, log=log) == whole
    assert audit(db, log=log, at=moment) == then
    assert whole.score_sum > 0


def test_a_database_without_rows_has_nothing_to_audit(clickhouse: str) -> None:
    with fresh_database(clickhouse) as db:
        assert (audit(db).checked, audit(db).unscored) == (0, 0)
        assert scores_at(db, END) == {}


@pytest.mark.slow
def test_real_interactions(clickhouse: str) -> None:
    path = data_file(HIGGS)
    frames = higgs_frames(path)
    updates = scored(frames)
    start = 1_341_100_800_000
    with fresh_database(clickhouse) as db:
        writer = writer_of(db)
        for topic, batch in ((Topic.WEIGHED, records(frames)), (Topic.SCORES, records(updates))):
            writer.claim(topic, 0)
            for first in range(0, len(batch), 1000 if topic is Topic.SCORES else 50):
                size = 1000 if topic is Topic.SCORES else 50
                add(writer, topic, 0, batch[first : first + size])
                writer.flush()
        writer.close()
        assert db.query("SELECT count() FROM interactions") == [(519_086,)]
        for hours, above_1, total in ((96, 42_194, 791_185_286), (120, 52_923, 750_378_675)):
            report = audit(db, at=start + hours * HOUR)
            assert (report.accounts_above_1, report.score_sum) == (above_1, total)
        report = audit(db)
        assert (report.checked, report.different, report.unscored) == (59_075, 0, 0)
