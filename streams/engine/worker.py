"""A Faust app set up for this project, and the process around it."""

import logging
import math
import sys
import time
from typing import Any

import faust
from aiokafka.errors import IllegalStateError
from faust.types import TP
from faust.types.auth import AuthProtocol, SASLMechanism

from config.errors import Unreachable
from config.logging import configure_logging
from config.settings import Settings
from config.telemetry import Check
from streams.engine.failstop import exit_when_stalled, exit_when_stopping_hangs, fail_stop
from streams.engine.inputs import FetchedBatch, Inputs
from streams.engine.pulse import Pulse
from streams.engine.settling import Settling
from streams.engine.transport import SCHEME

log = logging.getLogger("renown.worker")

_HEARTBEATS_PER_SESSION = 4
_FETCH_BYTES = 8 << 20
"""Of a partition. What each batch costs, however small, counts less in large ones."""
_MOST_RECORDS = 8_000
"""Of one answer to a poll; of what is read raw, a whole fetch counts as one."""
_MOST_BATCHES_WAITING = 8
"""With the size of a fetch, what bounds the memory of an agent that cannot keep up."""
_NEVER_SECONDS = 7 * 86_400.0
_STUCK_SECONDS = 10.0
_SWITCH_SECONDS = 0.0005
"""How long a thread keeps the interpreter while others want it. The client fetches in a thread of
its own that has little to do, but often: with Python's 5 ms each of its steps waits so long."""


class WorkerApp(faust.App):
    """A Faust app whose transport hands over batches and whose state says where to read.

    ``checks``: name → what keeps it from doing its work, for ``/ready``. ``pulse``: of its loop.
    """

    def __init__(self, settings: Settings, name: str, inputs: Inputs) -> None:
        """``name``: the consumer group and the id of the app."""
        self.inputs = inputs
        self.settings = settings
        self.checks: dict[str, Check] = {"broker": self._check_broker}
        self.pulse = Pulse(settings.session_seconds)
        super().__init__(
            name,
            broker=[f"{SCHEME}://{address}" for address in settings.kafka.split(",")],
            broker_credentials=_credentials(settings),
            store="memory://",
            datadir=str(settings.data_dir / "faust"),
            web_enabled=False,
            topic_partitions=settings.partitions,
            topic_disable_leader=True,
            topic_allow_declare=False,
            table_standby_replicas=0,
            broker_session_timeout=settings.session_seconds,
            broker_heartbeat_interval=settings.session_seconds / _HEARTBEATS_PER_SESSION,
            broker_rebalance_timeout=settings.session_seconds,
            broker_max_poll_interval=_NEVER_SECONDS,
            broker_max_poll_records=_MOST_RECORDS,
            broker_commit_interval=0.5,
            consumer_max_fetch_size=_FETCH_BYTES,
            consumer_auto_offset_reset="earliest",
            stream_buffer_maxsize=_MOST_BATCHES_WAITING,
            stream_recovery_delay=0.0,
            stream_wait_empty=True,
            worker_redirect_stdouts=False,
        )

    async def on_first_start(self) -> None:
        """Let the loop be watched from its beginning."""
        self.add_future(self.pulse.run())
        await super().on_first_start()

    async def stop(self) -> None:
        """Keep what was applied and end, in bounded time."""
        if not self.should_stop:
            exit_when_stopping_hangs(self.settings.session_seconds, self._silent)
        await super().stop()

    def batches_of(self, *topics: str) -> Any:
        """The channel on which the fetched batches of ``topics`` arrive."""
        return self.topic(*topics, value_serializer="raw", key_serializer="raw")

    async def in_order(self, batch: FetchedBatch, wanted: int) -> bool:
        """Whether ``batch`` goes on at offset ``wanted``; if something is missing, seek back.

        A log that starts beyond ``wanted`` has lost records: that ends the process unless
        ``RENOWN_ACCEPT_LOSS`` is set. A state that starts with nothing has nothing to lose.
        """
        if batch.last < wanted:
            return False
        if self.inputs.gap(batch, wanted):
            await self.consumer.seek_to_state({batch.tp: wanted})
            return False
        if batch.begins <= wanted or await self._lost_before(batch.tp, wanted):
            return True
        if batch.exact and batch.first > wanted:
            # Fetched before the seek after all: one after it begins at ``wanted``.
            await self.consumer.seek_to_state({batch.tp: wanted})
            return False
        return True

    async def earliest(self, tp: TP) -> int:
        """The first offset that ``tp`` still holds."""
        return int((await self.consumer.earliest_offsets(tp)).get(tp, 0))

    async def _lost_before(self, tp: TP, wanted: int) -> bool:
        """Whether the log begins beyond ``wanted`` and that was accepted."""
        earliest = await self.earliest(tp)
        if earliest <= wanted:
            return False
        lost = f"{tp.topic} partition {tp.partition} offsets {wanted} to {earliest - 1}"
        if wanted == 0:
            log.warning("starting with nothing where older records are gone: %s", lost)
            return True
        if not self.settings.accept_loss:
            fail_stop(
                f"records that were not read yet are gone: {lost}; "
                "RENOWN_ACCEPT_LOSS=true goes on without them"
            )
        log.error("going on without lost records: %s", lost)
        return True

    async def watch_for_stuck_inputs(self) -> None:
        """Seek again where records wait but none arrives: Faust may have dropped the last ones."""
        try:
            await self._seek_stuck_inputs()
        except Exception as error:
            fail_stop("watching the inputs failed", error)

    async def _seek_stuck_inputs(self) -> None:
        before: dict[TP, int] = {}
        settling = Settling(self.settings.session_seconds)
        while not self.should_stop:
            await self.sleep(_STUCK_SECONDS)
            reason, progress = self._why_unread(), self.inputs.progress()
            if said := settling.too_long(reason, progress, time.monotonic()):
                fail_stop(f"it owns partitions that it does not read: {said}")
            if self.rebalancing or self.flow_control.is_active() is False:
                before.clear()
                continue
            now = {tp: self.inputs.wanted(tp) for tp in self.consumer.assignment()}
            held = {tp: offset for tp, offset in now.items() if offset is not None}
            stuck = {
                tp: offset
                for tp, offset in held.items()
                if before.get(tp) == offset and offset < (self.end(tp) or 0)
            }
            if stuck and not self.inputs.waiting():
                log.warning("reading again from the state's positions: %s", stuck)
                await self.consumer.seek_to_state(stuck)
            before = held

    def _why_unread(self) -> str:
        """What keeps assigned inputs from being read that should end soon; nothing if all is well.

        Not said: that no broker answers, that inputs rest on purpose, that there are none.
        """
        assigned = self.consumer.assignment()
        if not assigned or self._check_broker() or self.inputs.waiting():
            return ""
        if self.rebalancing:
            return "a rebalance has not ended"
        if self.flow_control.is_active() is False:
            return "its streams have rested"
        batched = [tp for tp in assigned if tp.topic in self.inputs.batched]
        if any(self.inputs.wanted(tp) is None for tp in batched):
            return "states have been missing"
        if any(self.end(tp) is None for tp in batched):
            return "fetches have brought nothing"
        return ""

    def end(self, tp: TP) -> int | None:
        """The offset after the last record of an assigned partition, if a fetch has told it."""
        try:
            return self.consumer.highwater(tp)  # type: ignore[no-any-return]
        except (IllegalStateError, AssertionError):
            return None  # just taken away

    def behind(self, topic: str, partition: int, wanted: int) -> int | None:
        """Records from offset ``wanted`` to the end of a partition, if that is known."""
        end = self.end(TP(topic, partition))
        return None if end is None else max(0, end - wanted)

    def _silent(self) -> float:
        """Seconds since a broker last answered."""
        heard_at = self.inputs.heard_at
        return math.inf if heard_at is None else time.monotonic() - heard_at

    def _check_broker(self) -> str:
        if self.inputs.heard_at is None:
            return "no broker has answered yet"
        silent = self._silent()
        too_long = silent > self.settings.session_seconds
        return f"no broker has answered for {silent:.0f} s" if too_long else ""


def _credentials(settings: Settings) -> Any:
    protocol = settings.kafka_security
    if protocol == "PLAINTEXT":
        return None
    import ssl

    context = (
        ssl.create_default_context(cafile=settings.kafka_ca_file) if "SSL" in protocol else None
    )
    if not protocol.startswith("SASL"):
        return faust.SSLCredentials(context)
    credentials = faust.SASLCredentials(
        username=settings.kafka_user,
        password=settings.kafka_password.get_secret_value(),
        mechanism=SASLMechanism(settings.kafka_sasl_mechanism),
        ssl_context=context,
    )
    credentials.protocol = AuthProtocol(protocol)  # Faust would fall back to plaintext in silence
    return credentials


def run_worker(app: WorkerApp) -> None:
    """Run until SIGTERM or SIGINT; then everything applied is checkpointed and committed."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    configure_logging(app.settings, job=app.conf.id)
    exit_when_stalled(app.settings.session_seconds, app.pulse)
    try:
        app.settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unreachable(
            f"cannot write to {app.settings.data_dir} ({error.strerror}): "
            "set RENOWN_DATA_DIR to a folder that can be written"
        ) from error
    worker = faust.Worker(
        app, quiet=True, override_logging=False, redirect_stdouts=False, daemon=True
    )
    worker.spinner = None
    worker.execute_from_commandline()
