"""The generator: an exact rate, no burst after a pause, and time that is told as it passes."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from agents.metrics import AgentMetrics
from agents.sources.generate import Generate, GenerateReport, Pacing
from agents.sources.generate_status import GenerateStatus
from agents.status import read_statuses
from agents.world.world import World
from config.errors import RenownError
from schemas.topics import INTERACTION_TOPICS
from tests.support.publishing import NOW, MemoryOutlet, StillClock
from tests.support.worlds import START, published, world

HOUR_MS = 3_600_000


class Watched(MemoryOutlet):
    """Remembers when each record but a heartbeat was published, in seconds of its clock."""

    def __init__(self, clock: StillClock, pause_after: int = -1) -> None:
        super().__init__()
        self.times: list[float] = []
        self._clock, self._pause_after = clock, pause_after

    def _keep(self, *arguments: Any, **named: Any) -> None:
        super()._keep(*arguments, **named)
        if b'"clock"' in self.sent[-1].value:
            return
        self.times.append(self._clock.seconds)
        if len(self.times) == self._pause_after:
            self._clock.seconds += 10

    def most_within(self, seconds: float) -> int:
        """The largest number of records within a stretch of time."""
        most = begin = 0
        for end, at in enumerate(self.times):
            while self.times[begin] <= at - seconds:
                begin += 1
            most = max(most, end - begin + 1)
        return most


def live(rate: float, **options: Any) -> tuple[Watched, GenerateReport, StillClock]:
    """A live run; ``pause_after`` so many records the publisher stands still for 10 s."""
    clock = StillClock()
    outlet = Watched(clock, options.pop("pause_after", -1))
    source = Generate(world(rate=rate, start=NOW), outlet, clock=clock, **options)
    return outlet, source.run(), clock


@pytest.mark.parametrize("rate", [0.5, 7.0, 2_000.0])
def test_the_rate_is_exact(rate: float) -> None:
    outlet, report, clock = live(rate, seconds=8.0)
    assert report.events == len(outlet.times) == pytest.approx(8 * rate, abs=1 + rate * 0.03)
    assert clock.seconds == pytest.approx(8.0, abs=0.25)
    assert outlet.most_within(1.0) <= rate * 1.03 + 1
    assert report.finished
    assert report.skipped_seconds == 0


def test_time_slices_are_small_and_few() -> None:
    outlet, _report, clock = live(2_000.0, seconds=5.0)
    assert max(Counter(outlet.times).values()) <= 2_000 * 0.021 + 1
    assert len(clock.slept) == pytest.approx(250, abs=5)


def test_live_events_happen_when_they_are_published() -> None:
    outlet, _report, _clock = live(500.0, seconds=5.0)
    late = [one.received_at - one.at for one in outlet.published]
    assert min(late) >= 0
    assert sorted(late)[len(late) * 95 // 100] <= 25


def test_after_a_pause_at_most_a_second_is_made_up_for() -> None:
    outlet, report, _clock = live(1_000.0, seconds=20.0, pause_after=3_000)
    assert report.skipped_seconds == pytest.approx(9.0, abs=0.1)
    assert report.events == pytest.approx(11_000, abs=100)
    burst = max(Counter(outlet.times).values())
    assert 900 < burst <= 1_030
    # What comes after it happens now again.
    last = [one for one in outlet.published if one.received_at > NOW + 16_000]
    assert sorted(one.received_at - one.at for one in last)[len(last) // 2] <= 25


def test_a_slow_world_waits_after_a_pause_as_before() -> None:
    outlet, report, _clock = live(1.0, seconds=60.0, pause_after=10)
    assert report.skipped_seconds == pytest.approx(8.0, abs=0.3), "the next was due a second later"
    assert outlet.most_within(2.0) <= 4


def test_history_leaves_nothing_out_after_a_pause() -> None:
    clock = StillClock()
    outlet = Watched(clock, pause_after=5_000)
    source = Generate(
        *(world(rate=1.0), outlet), pacing=Pacing.HISTORY, speed=1_000.0, events=12_000, clock=clock
    )
    report = source.run()
    calm, _report = published(world(rate=1.0), 12_000)
    assert [i.id for i in outlet.published] == [i.id for i in calm.published]
    assert [i.at for i in outlet.published] == [i.at for i in calm.published]
    assert max(Counter(outlet.times).values()) <= 1_000 + 257
    assert clock.seconds == pytest.approx(21.0, abs=0.5)
    assert report.skipped_seconds == 0


def test_history_never_overtakes_the_wall_clock_and_goes_on_live() -> None:
    clock = StillClock()
    outlet = Watched(clock)
    source = Generate(
        *(world(rate=100.0, start=NOW - 60_000), outlet), pacing=Pacing.HISTORY, clock=clock
    )
    outlet.on_publish = lambda: source.stop() if clock.seconds > 5 else None
    report = source.run()
    assert report.events == pytest.approx(6_500, abs=110)
    assert all(one.at <= one.received_at for one in outlet.published)
    assert sum(at > 0 for at in outlet.times) == pytest.approx(500, abs=10)


def test_unpaced_publishes_without_a_pause_at_the_wall_clocks_time() -> None:
    clock = StillClock(step=0.001)
    outlet = MemoryOutlet()
    source = Generate(
        *(world(rate=50_000.0, start=NOW), outlet),
        pacing=Pacing.UNPACED,
        events=20_000,
        clock=clock,
    )
    report = source.run()
    assert report.events == 20_000
    assert not clock.slept
    assert NOW < max(one.at for one in outlet.published) <= NOW + clock.seconds * 1000


def test_time_is_told_before_anything_and_every_second() -> None:
    outlet, report, _clock = live(200.0, seconds=10.0)
    first = outlet.sent[: 4 * len(INTERACTION_TOPICS)]
    assert all(b'"clock"' in sent.value for sent in first)
    assert {(sent.topic, sent.partition) for sent in first} == {
        (topic, partition) for topic in INTERACTION_TOPICS for partition in range(4)
    }
    assert outlet.clocks[0] == NOW
    assert 10 <= len(outlet.clocks) <= 12
    assert outlet.clocks == sorted(set(outlet.clocks))
    assert report.reached == outlet.clocks[-1] == pytest.approx(NOW + 10_000, abs=250)


def test_each_hour_of_history_is_told() -> None:
    outlet, report = published(world(rate=0.5), 20_000)
    hours = range(START // HOUR_MS + 1, report.reached // HOUR_MS)
    assert len(hours) == 11
    assert {hour * HOUR_MS for hour in hours} <= set(outlet.clocks)


def test_a_heartbeat_never_says_more_than_was_published() -> None:
    outlet, _report = published(world(rate=5.0), 10_000)
    told = 0
    for sent in outlet.sent:
        if b'"clock"' in sent.value:
            told = max(told, int(sent.value.split(b":")[1].split(b",")[0].rstrip(b"}")))
    assert told == outlet.clocks[-1]
    assert told <= max(one.at for one in outlet.published) + 1_000


def test_dirt_is_passed_on_with_its_reason() -> None:
    outlet, report = published(world(dirt=0.2), 3_000)
    passed_on = [dict(sent.headers) for sent in outlet.sent if sent.headers]
    assert Counter(h["renown-reason"].decode() for h in passed_on) == report.dead
    assert passed_on[0]["renown-source"] == f"generate {report.run}".encode()


def test_stop_ends_with_a_flush_and_is_not_the_end() -> None:
    clock = StillClock()
    outlet = Watched(clock)
    outlet.deaf = True
    source = Generate(world(start=NOW), outlet, events=1_000_000, clock=clock)
    outlet.on_publish = lambda: source.stop() if len(outlet.times) == 500 else None
    flushed: list[bool] = []
    outlet.flush = lambda: flushed.append(True)  # type: ignore[method-assign]
    report = source.run()
    assert flushed
    assert not report.finished
    assert report.events == len(outlet.times) <= 501


def test_it_says_what_the_broker_has_acknowledged() -> None:
    clock = StillClock()
    outlet = MemoryOutlet()
    source = Generate(world(start=NOW), outlet, seconds=5.0, clock=clock)
    outlet.deaf = True
    outlet.on_publish = lambda: setattr(outlet, "deaf", clock.seconds < 3)
    seen: list[tuple[float, int]] = []
    source = Generate(
        *(world(start=NOW), outlet),
        seconds=5.0,
        clock=clock,
        tell=lambda told: seen.append((clock.seconds, told.acknowledged)),
    )
    report = source.run()
    assert all(at == 0 for moment, at in seen if moment < 3)
    assert source.acknowledged == report.reached


@pytest.fixture
def telling(tmp_path: Path) -> tuple[GenerateStatus, StillClock, CollectorRegistry, Path]:
    registry, clock = CollectorRegistry(), StillClock()
    return GenerateStatus(AgentMetrics(registry), tmp_path, clock=clock), clock, registry, tmp_path


def told_world() -> World:
    return world(start=NOW, rate=500.0, dirt=0.01)


def test_status_and_metrics_agree_with_the_report(
    telling: tuple[GenerateStatus, StillClock, CollectorRegistry, Path],
) -> None:
    status, clock, registry, folder = telling
    source = Generate(told_world(), MemoryOutlet(), seconds=10.0, clock=clock, tell=status)
    report = source.run()
    running = read_statuses(folder)[0]
    assert running.state == "running"
    assert (status.health(), status.ready()) == ("", "")
    status.ended(source)
    (found,) = read_statuses(folder)
    assert (found.name, found.state, len(found.networks)) == ("generate", "stopped", 8)
    assert found.published == report.published
    assert found.posts == report.posts
    assert found.rejected == report.dead
    assert found.cursor_at == report.reached
    lines = generate_latest(registry).decode().splitlines()
    counts = [line for line in lines if line.startswith("renown_agent_published_total{")]
    everything = sum(report.published.values()) + report.posts
    assert sum(float(line.split()[-1]) for line in counts) == everything
    dead = [line for line in lines if line.startswith("renown_agent_rejected_total{")]
    assert sum(float(line.split()[-1]) for line in dead) == sum(report.dead.values())
    assert 'renown_agent_connected{network="reddit"} 0.0' in lines


def test_a_silent_source_and_a_silent_broker_are_told(
    telling: tuple[GenerateStatus, StillClock, CollectorRegistry, Path],
) -> None:
    status, clock, _registry, folder = telling
    outlet = MemoryOutlet()
    outlet.deaf = True
    source = Generate(told_world(), outlet, seconds=12.0, clock=clock, tell=status)
    assert status.ready() == ""
    source.run()
    assert "acknowledged nothing for 1" in status.ready()
    assert status.health() == ""
    clock.seconds += 61
    assert status.health() == "stands still for 61 s"
    status.ended(source, "the broker is away")
    assert read_statuses(folder)[0].state == "failed"
    assert read_statuses(folder)[0].detail == "the broker is away"


def test_a_refused_record_ends_it() -> None:
    source = Generate(told_world(), MemoryOutlet(fails_at=100), events=1_000, clock=StillClock())
    with pytest.raises(RenownError, match="refused"):
        source.run()
