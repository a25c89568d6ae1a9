"""The score worker: one Faust app with the agents ``weigh`` and ``score``."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from confluent_kafka.admin import AdminClient

from config.broker import ensure_topics, librdkafka_options
from config.errors import WrongUse
from config.logging import CLIENT_LOGGER
from config.settings import Settings
from config.telemetry import Telemetry, new_registry
from schemas.model import Model, load_model
from schemas.topics import Topic
from streams.core.score import ScorePartition
from streams.core.weigh_partition import WeighPartition
from streams.days import days_task, standing_agent
from streams.engine.changelog import Recovered
from streams.engine.checkpoint import Budget, Checkpointer
from streams.engine.checkpoint_files import ASKED
from streams.engine.checks import Checks
from streams.engine.crash_points import Point, reach
from streams.engine.failstop import fail_stop
from streams.engine.inputs import Inputs
from streams.engine.outbox import Outbox
from streams.engine.set_aside import SetAside
from streams.engine.statelog import StateLog
from streams.engine.worker import WorkerApp, run_worker
from streams.groups import SCORE_GROUP, SCORE_TOPICS
from streams.metrics.common import SCORE, WEIGH
from streams.metrics.live import read_score_worker
from streams.metrics.score import ScoreMetrics
from streams.score import publish_task, score_agent, send_standing, send_updates
from streams.warming import warm_up
from streams.weigh import WeighLog, send_owed, weigh_agent

"""The consumer group, also the name of the job for operators."""

S = TypeVar("S")
Make = Callable[[int, list[dict[str, Any]]], S]

_CHECK_SECONDS = 0.1
_SESSIONS_UNNOTICED = 3


def _state_makers(
    settings: Settings, model: Model
) -> tuple[Make[WeighPartition], Make[ScorePartition]]:
    """What makes the states of a partition, weigh's and score's, from snapshots or from nothing."""

    def new_weigh(partition: int, snapshots: list[dict[str, Any]]) -> WeighPartition:
        return WeighPartition(
            partition, settings.partitions, model, settings.seen_horizon, snapshots
        )

    def new_score(partition: int, snapshots: list[dict[str, Any]]) -> ScorePartition:
        make = (
            partial(ScorePartition.restore, snapshots)
            if snapshots
            else partial(ScorePartition, partition)
        )
        return make(
            model,
            once=settings.once,
            emit_seconds=settings.emit_seconds,
            exact_engagers=settings.counts_exactly,
            partitions=settings.partitions,
        )

    return new_weigh, new_score


def _model(settings: Settings) -> Model:
    try:
        return load_model(settings.score_model)
    except ValueError as error:
        raise WrongUse(f"RENOWN_SCORE_MODEL: {error}") from None


def build_score_app(settings: Settings, metrics: ScoreMetrics) -> WorkerApp:
    """The app with its states, agents and checkpoints; nothing is started or connected.

    Raises ``WrongUse`` if there is no such score model.
    """
    model = _model(settings)
    batched = (*SCORE_TOPICS, *((Topic.STANDING,) if model.by_actor else ()))
    inputs = Inputs(frozenset(topic.value for topic in batched))
    app = WorkerApp(settings, SCORE_GROUP, inputs)
    connection = librdkafka_options(settings)
    outbox, admin = (
        Outbox(connection, settings.linger_ms),
        AdminClient(connection, logger=logging.getLogger(CLIENT_LOGGER)),
    )

    new_weigh, new_score = _state_makers(settings, model)

    def last_updates(partition: int, state: ScorePartition) -> None:
        send_standing(outbox, partition, state)
        updates = state.updates(time.monotonic(), everything=settings.once)
        send_updates(outbox, metrics, partition, updates)

    partitions, folder = settings.partitions, settings.checkpoint_dir
    unnoticed = _SESSIONS_UNNOTICED * settings.session_seconds
    weighs = StateLog(app, outbox, Topic.WEIGH_CHANGELOG, partitions, new_weigh, folder, unnoticed)
    scores = StateLog(app, outbox, Topic.SCORE_CHANGELOG, partitions, new_score, folder, unnoticed)
    checkpoint = partial(
        Checkpointer,
        outbox=outbox,
        inputs=inputs,
        admin=admin,
        interval=settings.checkpoint_seconds,
        budget=Budget(),
        at_rest=settings.once,
        truncate_after=unnoticed if settings.truncate_changelog else None,
        asked=(folder / ASKED).exists if folder else lambda: False,
    )

    def day_kept(state: WeighPartition, version: Any) -> None:
        if state.kept(version):
            reach(Point.WEIGH_DAY_KEPT)

    of_weigh: Checkpointer[WeighPartition] = checkpoint(
        weighs,
        derive=partial(send_owed, outbox),
        aside=True,
        on_taken=partial(metrics.checkpointed, WEIGH),
        urgent=lambda state: state.turning,
        on_kept=day_kept,
    )
    of_score: Checkpointer[ScorePartition] = checkpoint(
        scores, derive=last_updates, on_taken=partial(metrics.checkpointed, SCORE)
    )

    weighs.on_recovered, scores.on_recovered = (
        of_weigh.recovered,
        partial(_recovered, of_score, settings.session_seconds),
    )
    checkpoints = (of_weigh, of_score)

    async def release() -> None:
        try:
            # First nobody applies or publishes any more, then what was applied is kept.
            weighs.release()
            scores.release()
            for checkpointer in checkpoints:
                await checkpointer.run_released()
            await outbox.acknowledged()
        except Exception as error:
            fail_stop("giving partitions up failed", error)

    inputs.release = release
    inputs.wanted = lambda tp: weighs.wanted(tp) if (x := scores.wanted(tp)) is None else x
    inputs.progress = lambda: (weighs.progress(), scores.progress())
    app.checks["partitions"] = lambda: weighs.unready() or scores.unready()
    read_score_worker(metrics, app, of_weigh, of_score)
    _weigh(app, weighs, outbox, metrics, by_actor=model.by_actor)
    score_agent(app, scores, outbox, metrics)
    publish_task(app, scores, outbox, metrics)

    @app.task
    async def take_checkpoints() -> None:
        while not app.should_stop:
            try:
                outbox.poll()
                for checkpointer in checkpoints:
                    await checkpointer.run_due()
            except Exception as error:
                fail_stop("a checkpoint failed", error)
            await app.sleep(_CHECK_SECONDS)

    app.task(app.watch_for_stuck_inputs)
    return app


def _weigh(
    app: WorkerApp, states: WeighLog, outbox: Outbox, metrics: ScoreMetrics, *, by_actor: bool
) -> None:
    """Register what weighs, and what goes from day to day where classes differ between actors."""
    aside = SetAside(app)
    app.inputs.waiting = lambda: bool(aside)
    take = weigh_agent(app, states, outbox, metrics, aside)
    if by_actor:
        standing_agent(app, states)
        days_task(app, states, outbox, aside, take)


def _recovered(
    checkpointer: Checkpointer[ScorePartition],
    session_seconds: float,
    partition: int,
    state: ScorePartition,
    found: Recovered,
) -> None:
    checkpointer.recovered(partition, state, found)
    if state.epoch > 1:  # an owner before may not know yet, and have updates on their way
        state.guard(time.monotonic() + session_seconds)


def run(settings: Settings) -> None:
    """Run a score worker until it is told to stop."""
    metrics = ScoreMetrics(new_registry(SCORE_GROUP))
    checks = Checks("broker", "partitions")
    with Telemetry(settings, metrics.registry, health=checks.health, ready=checks.ready):
        warm_up()
        ensure_topics(settings)
        checks.app = build_score_app(settings, metrics)
        run_worker(checks.app)
