"""The monitor's loops: one for the canary, one for lag and reachability, each in a thread."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from config.errors import RenownError
from config.settings import ClickHouseAddress, Settings
from config.telemetry import Telemetry, new_registry
from renown.lag import GroupOffsets
from renown.monitor.canary import LOST, Canary
from renown.monitor.metrics import MonitorMetrics
from streams.engine.checkpoint_files import ASKED
from streams.sinks.client import Database

log = logging.getLogger("renown.monitor")

JOB: Final = "renown-monitor"
CANARY_SECONDS: Final = 5.0
"""From one canary to the next."""
PATIENCE_SECONDS: Final = 30.0
"""A canary that takes longer is lost."""

_LOOK_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 5.0
_STUCK_SECONDS: Final = 120.0


class Monitor:
    """Watches the broker and the database of ``settings`` until it is told to stop.

    Nothing that is away ends it: that is what it is there to tell.
    """

    def __init__(self, settings: Settings, *, canary_seconds: float = CANARY_SECONDS) -> None:
        self._settings = settings
        self._canary_seconds = canary_seconds
        self._registry = new_registry(JOB)
        self._metrics = MonitorMetrics(self._registry)
        self._stop = threading.Event()
        self._beats: dict[str, float] = {}
        self._trouble: dict[str, str] = {}
        self._arrived_at = time.monotonic()
        self._metrics.canary_age.set_function(lambda: time.monotonic() - self._arrived_at)

    def stop(self) -> None:
        """End soon; safe in signal handlers and other threads."""
        self._stop.set()

    def run(self) -> None:
        """Watch until ``stop``."""
        loops = {
            "canary": self._canaries,
            "broker": self._lags,
            "clickhouse": self._databases,
        }
        now = time.monotonic()
        self._beats = dict.fromkeys(loops, now)
        health = {name: self._alive(name) for name in loops}
        ready = {name: self._well(name) for name in loops}
        with Telemetry(self._settings, self._registry, health=health, ready=ready):
            threads = [
                threading.Thread(target=self._repeat, args=(name, loop), name=name, daemon=True)
                for name, loop in loops.items()
            ]
            for thread in threads:
                thread.start()
            self._stop.wait()
            for thread in threads:
                thread.join(_ANSWER_SECONDS)

    def _repeat(self, name: str, loop: Callable[[], None]) -> None:
        """Run ``loop`` again after each trouble, telling a new one once."""
        while not self._stop.is_set():
            self._beats[name] = time.monotonic()
            try:
                loop()
            except RenownError as error:
                self._tell(name, str(error))
            except Exception as error:  # a client library's: the monitor outlives it
                self._tell(name, f"unexpected {type(error).__name__}: {error}")
            self._stop.wait(_LOOK_SECONDS)

    def _tell(self, name: str, trouble: str) -> None:
        before, self._trouble[name] = self._trouble.get(name, ""), trouble
        if trouble and not before:
            log.warning("%s: %s", name, trouble)
        elif before and not trouble:
            log.warning("%s: well again", name)

    def _alive(self, name: str) -> Callable[[], str]:
        def check() -> str:
            silent = time.monotonic() - self._beats[name]
            return f"silent for {silent:.0f} s" if silent > _STUCK_SECONDS else ""

        return check

    def _well(self, name: str) -> Callable[[], str]:
        return lambda: self._trouble.get(name, "")

    def _canaries(self) -> None:
        metrics = self._metrics
        with Canary(self._settings, self._stop.is_set, wait=self._stop.wait) as canary:
            while not self._stop.is_set():
                took = None if self._held_back() else canary.fly(PATIENCE_SECONDS)
                self._beats["canary"] = time.monotonic()
                if took is None or self._stop.is_set():
                    self._arrived_at = time.monotonic()  # none was due
                elif took == LOST:
                    metrics.canary_lost.inc()
                    self._tell("canary", f"did not arrive within {PATIENCE_SECONDS:.0f} s")
                else:
                    self._arrived_at = time.monotonic()
                    metrics.canary.observe(took)
                    metrics.canary_last.set(took)
                    self._tell("canary", "")
                self._stop.wait(self._canary_seconds)

    def _held_back(self) -> bool:
        """Whether the stack waits for the end of everything published (see ``renown.run``)."""
        folder = self._settings.checkpoint_dir
        return folder is not None and (folder / ASKED).exists()

    def _lags(self) -> None:
        try:
            with GroupOffsets(self._settings) as offsets:
                while not self._stop.is_set():
                    for (group, topic), records in offsets.lag().items():
                        self._metrics.group_lag.labels(group, topic.value).set(records)
                    self._metrics.broker_up.set(1)
                    self._beats["broker"] = time.monotonic()
                    self._tell("broker", "")
                    self._stop.wait(_LOOK_SECONDS)
        except BaseException:
            self._metrics.broker_up.set(0)
            raise

    def _databases(self) -> None:
        address = ClickHouseAddress.parse(self._settings.clickhouse.get_secret_value())
        try:
            with Database(address, answer_seconds=_ANSWER_SECONDS) as db:
                while not self._stop.is_set():
                    db.query("SELECT 1")
                    self._metrics.clickhouse_up.set(1)
                    self._beats["clickhouse"] = time.monotonic()
                    self._tell("clickhouse", "")
                    self._stop.wait(_LOOK_SECONDS)
        except BaseException:
            self._metrics.clickhouse_up.set(0)
            raise
