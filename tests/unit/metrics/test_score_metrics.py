"""Each metric of the score worker moves by what happened, once for a batch."""

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from schemas.dead_letter import DeadLetter
from schemas.interaction import Interaction
from schemas.model import load_model
from schemas.topics import Topic
from streams.core.decode import Reason
from streams.core.score import Applied, ScorePartition
from streams.core.updates import NO_UPDATES
from streams.core.weigh_partition import WeighPartition
from streams.metrics.common import SCORE, UNREADABLE, WEIGH
from streams.metrics.score import ScoredBatch, ScoreMetrics
from tests.support.interactions import NOON, interaction, record
from tests.support.weighed import HOUR, Row, frame, numbered


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> ScoreMetrics:
    return ScoreMetrics(registry, now=lambda: NOON / 1000 + 2)


def moved(registry: CollectorRegistry) -> dict[str, float]:
    """Counters and numbers of observations that are not 0: name and label values → value."""
    return {
        " ".join((sample.name.removeprefix("renown_"), *sample.labels.values())): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith(("_total", "_count")) and sample.value
    }


def test_a_batch_that_is_weighed(registry: CollectorRegistry, metrics: ScoreMetrics) -> None:
    state = WeighPartition(0, 1, load_model(), horizon=1000)
    topic = Topic.RETWEET
    messages: list[Interaction | bytes] = [
        interaction(id="1"),
        interaction(id="1"),
        interaction(id="1", undo=True, at=NOON + 1),
        interaction(id="2", undo=True),
        interaction(id="3"),
        b"no json",
    ]
    batch = [record(offset, message) for offset, message in enumerate(messages)]
    for part in (batch[:2], batch[2:]):
        before = state.totals(topic)
        derived = state.apply(topic, part, part[-1].offset, 0.0)
        metrics.weighed(topic, (before, state.totals(topic)), derived.frames, derived.dead)
        metrics.dealt_with(WEIGH, len(part), 0.5)
    name = f"events_total weigh {topic.value}"
    assert moved(registry) == {
        f"{name} accepted": 2,
        f"{name} duplicate": 1,
        f"{name} undone": 1,
        f"{name} unmatched": 1,
        f"{name} dead": 1,
        "duplicates_total": 1,
        "undo_unmatched_total": 1,
        f"dead_letters_total {Reason.BAD_JSON.value}": 1,
        "event_latency_seconds_count weigh event": 3,
        "event_latency_seconds_count weigh received": 3,
        "batch_events_count weigh": 2,
        "stage_seconds_total weigh": 1,
    }


def test_how_long_events_took(registry: CollectorRegistry, metrics: ScoreMetrics) -> None:
    """Of an undo its own time counts, which old frames do not tell; what is ahead is now."""
    hour = NOON // 3_600_000
    rows = frame(numbered([Row(hour=hour), Row(hour=1 << 19), Row(hour=1).undone])).columns
    metrics.latency.observe(SCORE, [{**rows, "undone_at": np.array([0, 0, NOON + 1000])}])
    old = frame([Row(hour=hour).undone]).columns
    metrics.latency.observe(SCORE, [{**old, "undone_at": np.array([0])}])
    metrics.latency.observe(SCORE, [])

    def total(since: str) -> float | None:
        labels = {"stage": SCORE, "since": since}
        return registry.get_sample_value("renown_event_latency_seconds_sum", labels)

    assert total("event") == pytest.approx((2 - 0.017) + 0 + 1)
    since_hour_1 = (NOON - HOUR) / 1000 + 2 - 0.099
    assert total("received") == pytest.approx(2 * (2 - 0.099) + 0 + since_hour_1)


def test_a_batch_of_frames(registry: CollectorRegistry, metrics: ScoreMetrics) -> None:
    state = ScorePartition(0, load_model(), once=True)
    rows = numbered([Row(), Row(actor="bob"), Row().undone, Row(actor="cyd")])
    frames = [
        frame(rows[:2], last=1),
        frame(rows[:2], last=1),
        frame(rows[:3], last=2),
        frame([rows[3]], first=9, last=9),
        frame([], source=0, first=3, last=3, clock=1),
    ]
    done = ScoredBatch()
    done.outcomes[UNREADABLE] += 1
    outcomes = []
    for offset, each in enumerate(frames):
        before = state.rows
        outcomes.append(state.apply(each, offset, float(offset)))
        done.add(each, outcomes[-1], state.rows - before)
    metrics.scored(done)
    assert outcomes == [Applied.NEW, Applied.OLD, Applied.NEW, Applied.HOLE, Applied.NEW]
    assert moved(registry) == {
        "events_total score weighed applied": 3,
        "events_total score weighed old": 1,
        "events_total score weighed hole": 1,
        "events_total score weighed unreadable": 1,
        "holes_total score": 1,
        "event_latency_seconds_count score event": 3,
        "event_latency_seconds_count score received": 3,
    }


def test_updates_and_checkpoints(registry: CollectorRegistry, metrics: ScoreMetrics) -> None:
    state = ScorePartition(0, load_model(), once=True)
    state.apply(frame(numbered([Row(), Row(target="twitter:kim")])), 0, 0.0)
    updates = state.updates(1.0)
    assert len(updates) == 2
    metrics.emitted(updates)
    metrics.emitted(NO_UPDATES)
    metrics.checkpointed(WEIGH, 0.25)
    assert moved(registry) == {
        "scores_emitted_total interaction": 2,
        "checkpoint_seconds_count weigh": 1,
        "stage_seconds_total checkpoint": 0.25,
    }


def test_every_reason_of_a_dead_letter_is_there_from_the_start(
    registry: CollectorRegistry, metrics: ScoreMetrics
) -> None:
    for reason in Reason:
        labels = {"reason": reason.value}
        assert registry.get_sample_value("renown_dead_letters_total", labels) == 0
    letter = DeadLetter(
        reason="empty", detail="", topic="t", partition=0, offset=0, at=0, key=None, value=None,
        size=0,
    )  # fmt: skip
    totals = WeighPartition(0, 1, load_model(), horizon=10).totals(Topic.LIKE)
    metrics.weighed(Topic.LIKE, (totals, totals), [], [letter, letter])
    assert moved(registry) == {"dead_letters_total empty": 2}
