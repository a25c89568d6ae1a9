"""Replay: what it publishes and says about time, and that an interruption changes nothing."""

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.cursor import CursorFile, Position
from agents.formats import Format
from agents.lines import SourceDamaged
from agents.report import Progress, ReplayReport
from agents.source import ABSURD_TIME
from agents.sources.replay import HOUR_MS, Replay, replay_cursor
from config.errors import RenownError, WrongUse
from schemas.kinds import Kind
from schemas.topics import INTERACTION_TOPICS, Topic
from tests.support.interactions import HOUR, MINUTE, NOON, interaction
from tests.support.publishing import NOW, MemoryOutlet, StillClock

START = 1_341_100_800  # 2012-07-01 00:00 UTC
SNAP = f"""\
1 2 {START + 60} RT
3 2 {START + 61} MT
3 2 {START + 61} RE
4 4 {START + 62} MT
5 2 {START + 2 * 3600} RT
nonsense
6 2 5 RT
7 2 {START + 5 * 3600 + 7} MT
"""


@pytest.fixture
def snap(tmp_path: Path) -> Path:
    path = tmp_path / "edges.txt"
    path.write_text(SNAP)
    return path


def play(path: Path, outlet: MemoryOutlet | None = None, **options: Any) -> ReplayReport:
    given = {"clock": StillClock()} | options
    return Replay(path, Format.SNAP, outlet or MemoryOutlet(), **given).run()


def test_a_replay_accounts_for_every_line(snap: Path) -> None:
    outlet = MemoryOutlet()
    report = play(snap, outlet)
    assert report == ReplayReport(
        read=8,
        folded=1,
        self_dropped=1,
        rejected={"not a SNAP line": 1, ABSURD_TIME: 1},
        published={"retweet": 2, "comment": 1, "mention": 1},
        last_at=(START + 5 * 3600 + 7) * 1000,
        finished=True,
    )
    assert report.published_total == len(outlet.published) == 4
    assert [found.actor for found in outlet.published] == [f"twitter:{n}" for n in (1, 3, 5, 7)]


def test_the_time_of_receipt_is_that_of_publishing(snap: Path) -> None:
    outlet = MemoryOutlet()
    clock = StillClock()

    def a_second_passes() -> None:
        clock.seconds += 1

    outlet.on_publish = a_second_passes
    play(snap, outlet, clock=clock)
    assert [found.received_at - NOW for found in outlet.published] == [0, 1000, 2000, 3000]


def test_event_time_is_told_each_hour_and_at_the_end(snap: Path) -> None:
    outlet = MemoryOutlet()
    play(snap, outlet)
    hours = [START * 1000 + hour * HOUR_MS for hour in (0, 2, 5)]
    assert outlet.clocks == [*hours, (START + 5 * 3600 + 7) * 1000]
    beats = [sent for sent in outlet.sent if b'"clock"' in sent.value]
    places = {(topic, partition) for topic in INTERACTION_TOPICS for partition in range(4)}
    assert {(sent.topic, sent.partition) for sent in beats} == places
    assert len(beats) == len(places) * 4
    # The hour is told before what happened in it.
    assert b'"clock"' in outlet.sent[0].value


def test_until_leaves_out_what_came_later_and_says_until(snap: Path) -> None:
    outlet = MemoryOutlet()
    until = (START + 2 * 3600) * 1000
    report = play(snap, outlet, until=until)
    assert report.published == {"retweet": 1, "comment": 1}
    assert report.beyond == 2
    assert report.last_at == (START + 61) * 1000
    assert outlet.clocks == [START * 1000, until]


def test_until_after_the_end_still_says_until(snap: Path) -> None:
    outlet = MemoryOutlet()
    play(snap, outlet, until=(START + 999_999) * 1000)
    assert outlet.clocks[-1] == (START + 999_999) * 1000


def test_lines_that_give_nothing_are_passed_on_with_the_reason(snap: Path) -> None:
    outlet = MemoryOutlet()
    play(snap, outlet)
    passed_on = [sent for sent in outlet.sent if sent.headers]
    assert [(sent.topic, sent.key, sent.value) for sent in passed_on] == [
        (Topic.LIKE, None, b"nonsense"),
        (Topic.LIKE, None, b"6 2 5 RT"),
    ]
    assert dict(passed_on[0].headers)["renown-source"] == b"edges.txt line 6"
    assert dict(passed_on[1].headers)["renown-reason"].startswith(b"absurd time: event time 5000")


def test_a_repetition_repeats_ids_and_never_turns_time_back(snap: Path) -> None:
    once, twice = MemoryOutlet(), MemoryOutlet()
    play(snap, once)
    report = play(snap, twice, repeat=2)
    assert twice.clocks == once.clocks
    assert [i.id for i in twice.published] == [i.id for i in once.published] * 2
    assert (report.read, report.folded) == (16, 2)


def test_a_limit_reads_only_the_first_lines_of_each_pass(snap: Path) -> None:
    outlet = MemoryOutlet()
    report = play(snap, outlet, limit=5, repeat=2)
    assert report.read == 10
    assert report.published == {"retweet": 4, "comment": 2}
    assert outlet.clocks[-1] == (START + 2 * 3600) * 1000


def test_unsorted_files_never_turn_time_back(tmp_path: Path, snap: Path) -> None:
    path = tmp_path / "backwards.txt"
    path.write_text("\n".join(reversed(SNAP.splitlines())))
    outlet = MemoryOutlet()
    report = play(path, outlet)
    assert report.published == {"retweet": 2, "comment": 1, "mention": 1}
    assert outlet.clocks == [(START + 5 * 3600) * 1000, (START + 5 * 3600 + 7) * 1000]


def test_a_packed_file_plays_the_same(tmp_path: Path, snap: Path) -> None:
    path = tmp_path / "edges.txt.gz"
    path.write_bytes(gzip.compress(SNAP.encode()))
    assert play(path) == play(snap)


def test_an_empty_file_is_over_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    outlet = MemoryOutlet()
    report = play(tmp_path / "empty", outlet, repeat=3)
    assert report == ReplayReport(finished=True)
    assert not outlet.sent


def test_a_paced_replay_waits_by_event_time_and_tells_the_hours_between(snap: Path) -> None:
    outlet = MemoryOutlet()
    clock = StillClock()
    play(snap, outlet, clock=clock, speed=3600.0)
    assert sum(clock.slept) == pytest.approx((5 * 3600 + 7 - 60) / 3600)
    assert max(clock.slept) <= 0.2
    hours = [START * 1000 + hour * HOUR_MS for hour in range(6)]
    assert outlet.clocks == [*hours, (START + 5 * 3600 + 7) * 1000]


def test_a_paced_replay_stops_while_it_waits(snap: Path, tmp_path: Path) -> None:
    outlet = MemoryOutlet()
    cursor = replay_cursor(tmp_path / "cursors", snap, Format.SNAP, destination="log")
    replay = Replay(snap, Format.SNAP, outlet, speed=1.0, cursor=cursor, clock=(c := StillClock()))
    outlet.on_publish = lambda: replay.stop() if c.seconds > 1 else None
    outlet.poll = lambda: replay.stop() if c.seconds > 60 else None  # type: ignore[method-assign]
    report = replay.run()
    assert not report.finished
    assert c.seconds < 62
    assert report.published == {"retweet": 1, "comment": 1}


@pytest.mark.parametrize("interrupted_after", range(1, 5))
def test_an_interrupted_replay_goes_on_where_it_stopped(
    snap: Path, tmp_path: Path, interrupted_after: int
) -> None:
    whole = MemoryOutlet()
    expected = play(snap, whole, repeat=2)
    outlet = MemoryOutlet()
    reports = []
    for _ in range(20):
        cursor = replay_cursor(tmp_path / "c", snap, Format.SNAP, destination="log", repeat=2)
        replay = Replay(
            snap, Format.SNAP, outlet, repeat=2, cursor=cursor, clock=StillClock(step=0.001)
        )
        left = interrupted_after

        def count(replay: Replay = replay) -> None:
            nonlocal left
            left -= 1
            if not left:
                replay.stop()

        outlet.on_publish = count
        reports.append(replay.run())
        if reports[-1].finished:
            break
    assert len(reports) > 1
    assert [i.id for i in outlet.published] == [i.id for i in whole.published]
    assert msgspec.structs.replace(reports[-1], seconds=0.0) == expected
    assert reports[-1].seconds > reports[0].seconds > 0
    assert not list((tmp_path / "c").iterdir())


def many(tmp_path: Path, number: int = 2000) -> Path:
    path = tmp_path / "many.txt"
    path.write_text("".join(f"{n} 7 {START + n} RT\n" for n in range(100, 100 + number)))
    return path


def test_after_a_failure_everything_unacknowledged_is_published_again(tmp_path: Path) -> None:
    path = many(tmp_path)
    cursor = replay_cursor(tmp_path / "c", path, Format.SNAP, destination="log")
    broken = MemoryOutlet(fails_at=1500)
    with pytest.raises(RenownError, match="refused"):
        play(path, broken, cursor=cursor, clock=StillClock(step=0.4))
    saved = cursor.load()
    assert saved is None  # a mark was set, but nothing was heard from the broker

    broken = MemoryOutlet(fails_at=1500)
    broken.on_publish = broken.poll
    with pytest.raises(RenownError, match="refused"):
        play(path, broken, cursor=cursor, clock=StillClock(step=0.4))
    saved = cursor.load()
    assert saved is not None
    assert 256 <= saved.position.line < 1500
    mended = MemoryOutlet()
    report = play(path, mended, cursor=cursor)
    assert report.read == 2000
    assert len(mended.published) == 2000 - saved.position.line
    assert len({i.id for i in (*broken.published, *mended.published)}) == 2000


def test_the_cursor_waits_for_the_broker(tmp_path: Path) -> None:
    path = many(tmp_path)
    cursor = replay_cursor(tmp_path / "c", path, Format.SNAP, destination="log")
    outlet = MemoryOutlet()
    outlet.deaf = True
    saved: list[Position] = []
    cursor.save = lambda position, state: saved.append(position)  # type: ignore[method-assign]
    play(path, outlet, cursor=cursor, clock=StillClock(step=5.0))
    assert not saved
    outlet.deaf = False
    outlet.flush()
    assert len(saved) == 1  # one mark at a time


def test_a_new_log_starts_from_the_beginning(snap: Path, tmp_path: Path) -> None:
    one = replay_cursor(tmp_path, snap, Format.SNAP, destination="log 1")
    two = replay_cursor(tmp_path, snap, Format.SNAP, destination="log 2")
    assert one.path != two.path


def test_a_damaged_state_in_a_cursor_says_what_to_do(snap: Path, tmp_path: Path) -> None:
    cursor: CursorFile = replay_cursor(tmp_path, snap, Format.SNAP, destination="log")
    cursor.save(Position(0, 3), {"read": "many"})
    with pytest.raises(RenownError, match="is damaged: delete it"):
        play(snap, cursor=cursor)


def test_a_damaged_file_is_published_as_far_as_it_goes(tmp_path: Path) -> None:
    path = many(tmp_path, 60_000)
    packed = gzip.compress(path.read_bytes())
    path.write_bytes(packed[: len(packed) // 2])
    cursor = replay_cursor(tmp_path / "c", path, Format.SNAP, destination="log")
    outlet = MemoryOutlet()
    with pytest.raises(SourceDamaged, match="damaged after line"):
        play(path, outlet, cursor=cursor)
    assert outlet.clocks[-1] % HOUR_MS == 0  # the end was not reached
    saved = cursor.load()
    assert saved is not None
    assert saved.position.line == len(outlet.published) > 0


def test_renowns_own_lines_pass_unchanged(tmp_path: Path) -> None:
    bodies = [
        msgspec.json.encode(interaction(id="1")) + b" ",
        b'{"clock":%d}' % (NOON + 90 * MINUTE),
        b'{"clock":%d}' % (NOON + 10 * MINUTE),
        msgspec.json.encode(interaction(id="2", kind=Kind.LIKE, at=NOON + 3 * HOUR)),
        b'{"kind":"mention","actor":"twitter:ada","id":',
    ]
    path = tmp_path / "own.jsonl"
    path.write_bytes(b"\n".join(bodies))
    outlet = MemoryOutlet()
    report = Replay(path, Format.JSONL, outlet, clock=StillClock()).run()
    assert report.heartbeats == 2
    assert report.published == {"retweet": 1, "like": 1}
    values = [sent.value for sent in outlet.sent if b'"clock"' not in sent.value]
    assert values == [bodies[0], bodies[3], bodies[4]]
    assert outlet.sent[-1].topic is Topic.MENTION
    assert outlet.sent[-1].partition == outlet.sent[20].partition  # both are keyed by ada
    assert outlet.clocks == [NOON, NOON + 90 * MINUTE, NOON + 3 * HOUR]


def test_progress_is_told(tmp_path: Path) -> None:
    moments: list[Progress] = []
    play(many(tmp_path), clock=StillClock(step=0.1), progress=moments.append, repeat=2)
    assert len(moments) > 2
    assert [m.fraction for m in moments] == sorted(m.fraction for m in moments)
    assert moments[-1].fraction <= 1
    assert moments[-1].rate > 0
    assert moments[-1].at == (START + 2099) * 1000
    assert moments[-1].remaining is not None


def test_what_cannot_be_played_is_wrong_use(tmp_path: Path, snap: Path) -> None:
    with pytest.raises(WrongUse, match="0 times"):
        Replay(snap, Format.SNAP, MemoryOutlet(), repeat=0)
    with pytest.raises(WrongUse, match="cannot read"):
        Replay(tmp_path / "missing", Format.SNAP, MemoryOutlet())
    with pytest.raises(WrongUse, match="does not look like jsonl"):
        Replay(snap, Format.JSONL, MemoryOutlet())


def test_only_the_first_lines_are_read(snap: Path) -> None:
    whole, outlet = play(snap), MemoryOutlet()
    report = play(snap, outlet, limit=3)
    assert report.read == 3 < whole.read
    assert report.finished
    assert outlet.clocks[-1] == report.last_at
