"""The sink worker: weighed, scores and dead-letters → ClickHouse, an app of its own.

While ClickHouse is away its inputs rest (their queues fill up and the transport pauses them); the
score worker does not notice. Where to read on is stored in ClickHouse with the rows.
"""

import asyncio
import logging
import time

from faust.types import TP

from config.broker import ensure_topics, log_incarnation
from config.settings import ClickHouseAddress, Settings
from config.telemetry import Telemetry, new_registry
from schemas.topics import Topic
from streams.engine.checks import Checks
from streams.engine.crash_points import Point, reach
from streams.engine.failstop import fail_stop
from streams.engine.inputs import FetchedBatch, Inputs
from streams.engine.worker import WorkerApp, run_worker
from streams.groups import SINK_GROUP, SINK_TOPICS
from streams.metrics.common import SINK
from streams.metrics.reading import Values, alone
from streams.metrics.sink import SinkMetrics
from streams.sinks.errors import Unavailable
from streams.sinks.writer import Writer

log = logging.getLogger("renown.sink")

_FLUSH_ROWS = 50_000
_PAUSE_SECONDS = 0.1
"""Rows wait for each other anyhow."""
_FLUSH_SECONDS = 1.0
_MOST_PENDING_ROWS = 200_000
_RETRY_SECONDS = 1.0
_CHECK_SECONDS = 0.1
_SHARE_OF_SESSION = 0.7
"""Of the group session: how long writing may take before partitions are given up."""


class Sink:
    """Buffers what arrives and writes it in large blocks; the writer is used by one at a time.

    ``away``: whether ClickHouse is. ``age``, ``lag`` and ``unready`` may be asked in any thread.
    """

    def __init__(self, app: WorkerApp, writer: Writer) -> None:
        """``writer`` must be open."""
        self._app, self._writer = app, writer
        self._claimed: dict[TP, int] = {}
        self._assigned = 0
        self._using = asyncio.Lock()
        self._unwritten_since: float | None = None
        self.away = False

    def wanted(self, tp: TP) -> int | None:
        """Next offset of ``tp``; None until its progress has been read from ClickHouse."""
        return self._claimed.get(tp)

    def resting(self) -> bool:
        """Whether inputs rest on purpose."""
        return self.away or self._writer.pending >= _MOST_PENDING_ROWS

    def age(self) -> float:
        """Seconds that the oldest row has waited to be stored; 0 if none waits."""
        since = self._unwritten_since
        return 0.0 if since is None else time.monotonic() - since

    def lag(self) -> Values:
        """Stage, topic and partition → records that are not stored yet, buffered ones included."""
        values: dict[tuple[str, ...], float] = {}
        for tp in list(self._claimed):
            stored = self._app.inputs.durable.get(tp, 0)
            if (behind := self._app.behind(tp.topic, tp.partition, stored)) is not None:
                values[SINK, tp.topic, str(tp.partition)] = behind
        return values

    def unready(self) -> str:
        """Why partitions are not read, or nothing."""
        if not self._assigned:
            return "no partitions are assigned"
        missing = self._assigned - len(self._claimed)
        return f"{missing} of {self._assigned} partitions are not claimed yet" if missing else ""

    async def take(self, batch: FetchedBatch) -> None:
        """Buffer one batch, waiting while too much is buffered or its progress is not known."""
        while self._must_wait(batch.tp):  # noqa: ASYNC110 (for one of several reasons)
            await asyncio.sleep(_CHECK_SECONDS)
        async with self._using:
            wanted = self._claimed.get(batch.tp)
            if wanted is None or not await self._app.in_order(batch, wanted):
                return
            topic = Topic(batch.tp.topic)
            self._writer.add(topic, batch.tp.partition, batch.records, batch.last)
            self._claimed[batch.tp] = batch.last + 1
            self._unwritten_since = self._unwritten_since or time.monotonic()

    def _must_wait(self, tp: TP) -> bool:
        if self._app.should_stop:
            return False
        if self._writer.pending >= _MOST_PENDING_ROWS:
            return True
        return tp not in self._claimed and tp in self._app.consumer.assignment()

    async def write_when_due(self) -> None:
        """Write if enough rows wait, or some have waited for a second."""
        since = self._unwritten_since
        if since is None:
            return
        if self._writer.pending < _FLUSH_ROWS and time.monotonic() - since < _FLUSH_SECONDS:
            return
        async with self._using:
            await self._write()

    async def claim_assigned(self) -> None:
        """Read the progress of newly assigned partitions and go on from there."""
        assigned = [tp for tp in self._app.consumer.assignment() if Topic(tp.topic) in SINK_TOPICS]
        self._assigned = len(assigned)
        for tp in assigned:
            if tp in self._claimed:
                continue
            begins_late = await self._app.earliest(tp) > 0
            async with self._using:
                # A claim shuts out the owner before: it must be ours, also after the wait.
                if not self._is_ours(tp):
                    return
                topic, partition = Topic(tp.topic), tp.partition
                offset = await asyncio.to_thread(
                    self._writer.claim, topic, partition, begins_late=begins_late
                )
                self._claimed[TP(tp.topic, partition)] = offset
                if offset:
                    self._app.inputs.durable[TP(tp.topic, partition)] = offset
            await self._app.consumer.seek_to_state({tp: offset})

    def _is_ours(self, tp: TP) -> bool:
        if self._app.rebalancing or self._app.should_stop:
            return False
        return tp in self._app.consumer.assignment()

    async def release(self) -> None:
        """Write what can be written and give the partitions up; the rest is read again."""
        try:
            async with self._using:
                if self._unwritten_since is not None:
                    await self._write_before_release()
                for tp in self._claimed:
                    self._writer.release(Topic(tp.topic), tp.partition)
                self._claimed.clear()
                self._unwritten_since = None
        except Exception as error:
            fail_stop("giving partitions up failed", error)

    async def _write_before_release(self) -> None:
        patience = self._app.settings.session_seconds * _SHARE_OF_SESSION
        try:
            await asyncio.wait_for(self._write(), patience)
        except Unavailable as error:
            log.warning("gave partitions up before everything was written: %s", error)
        except TimeoutError:
            fail_stop(f"ClickHouse took longer than {patience:.0f} s when partitions were given up")

    async def _write(self) -> None:
        durable = await asyncio.to_thread(self._writer.flush)
        reach(Point.SINK_COMMITTING)
        self._unwritten_since = None
        for (topic, partition), offset in durable.items():
            self._app.inputs.durable[TP(topic.value, partition)] = offset


def build_sink_app(settings: Settings, writer: Writer, metrics: SinkMetrics) -> WorkerApp:
    """The app around ``writer``, which must be open; nothing is started."""
    inputs = Inputs(frozenset(topic.value for topic in SINK_TOPICS), pause=_PAUSE_SECONDS)
    app = WorkerApp(settings, SINK_GROUP, inputs)
    sink = Sink(app, writer)
    inputs.wanted, inputs.release, inputs.waiting = sink.wanted, sink.release, sink.resting
    app.checks["partitions"] = sink.unready
    app.checks["clickhouse"] = lambda: "ClickHouse is away" if sink.away else ""
    metrics.rebalances.read = alone(lambda: app.rebalancing_count)
    metrics.consumer_lag.read = sink.lag
    metrics.oldest_row_age.read = alone(sink.age)
    metrics.clickhouse_up.read = alone(lambda: float(not sink.away))

    @app.agent(app.batches_of(*(t.value for t in SINK_TOPICS)), name="sink", concurrency=1)
    async def store(batches) -> None:  # type: ignore[no-untyped-def]
        async for batch in batches:
            try:
                await sink.take(batch)
            except Exception as error:
                fail_stop("storing failed", error)

    @app.task
    async def write() -> None:
        while not app.should_stop:
            try:
                if not app.rebalancing:
                    await sink.claim_assigned()
                await sink.write_when_due()
                if sink.away:
                    sink.away = False
                    log.warning("ClickHouse is back")
                await app.sleep(_CHECK_SECONDS)
            except Unavailable as error:
                if not sink.away:
                    log.warning("ClickHouse is away, the inputs wait: %s", error)
                sink.away = True
                await app.sleep(_RETRY_SECONDS)
            except Exception as error:
                fail_stop("writing to ClickHouse failed", error)

    app.task(app.watch_for_stuck_inputs)
    return app


def run(settings: Settings) -> None:
    """Run a sink worker until it is told to stop."""
    metrics = SinkMetrics(new_registry(SINK_GROUP))
    checks = Checks("broker", "partitions", "clickhouse")
    with Telemetry(settings, metrics.registry, health=checks.health, ready=checks.ready):
        ensure_topics(settings)
        address = ClickHouseAddress.parse(settings.clickhouse.get_secret_value())
        log_id, accept_loss = log_incarnation(settings), settings.accept_loss
        writer = Writer(address, log_id, accept_loss=accept_loss, metrics=metrics)
        writer.open()
        checks.app = build_sink_app(settings, writer, metrics)
        run_worker(checks.app)
