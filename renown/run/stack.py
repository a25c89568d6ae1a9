"""All processes of Renown on one machine: broker and ClickHouse where none is set, and workers."""

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from kafka.errors import KafkaError
from pydantic import SecretStr

from config.broker import ensure_topics
from config.errors import RenownError, Unreachable
from config.settings import ClickHouseAddress, Settings
from config.telemetry import Telemetry, new_registry
from renown.embedded.broker import EmbeddedBroker
from renown.embedded.clickhouse import EmbeddedClickHouse
from renown.embedded.process import LOOPBACK, ChildProcess, free_port
from renown.folders import CHECKPOINTS_FOLDER, DATABASE_FOLDER, LOCK_FILE, STACK_FILE
from renown.locking import hold
from renown.run import supervision
from renown.run.fresh import make_fresh
from renown.run.processes import Part, Processes, Say
from renown.run.renewal import Renewal, drain
from streams.rebuild.run import rebuild_if_new
from streams.sinks.client import connect
from streams.sinks.migrate import migrate

_EMBEDDED_BROKER: Final[dict[str, object]] = {
    "session_seconds": 6.0,
    "truncate_changelog": False,
    "linger_ms": 50,
}
"""It lets a new group wait for half of its session time, knows no DeleteRecords, and looks through
all batches of a partition at each fetch, so that many small ones cost it time."""

_DRAIN_SECONDS: Final = 20.0
_HOPELESS_SECONDS: Final = 1.0

_JOBS: Final = {"score": "renown-score", "sink": "renown-sink", "monitor": "renown-monitor"}
_AGENT_JOB: Final = "renown-agent"


class Stack:
    """Starts what is missing, in order, and stops it in the reverse order.

    ``folder`` holds the embedded ClickHouse and the workers' files; ``fresh`` empties it first,
    and a Kafka that is not embedded of what an earlier fresh stack left there.
    ``monitor``: also start one. ``most_broker_bytes``: memory from which on the embedded broker is
    made to forget what everybody has read; 0: never. A port of 0 takes any free one.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        fresh: bool = False,
        score_workers: int = 1,
        monitor: bool = False,
        most_broker_bytes: int = 0,
        kafka_port: int = 0,
        clickhouse_port: int = 0,
        say: Say = print,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.database: EmbeddedClickHouse | None = None
        self._broker: EmbeddedBroker | None = None
        self._fresh = fresh
        self._score_workers = score_workers
        self._monitor = monitor
        self._most_broker_bytes = most_broker_bytes
        self._renewal: Renewal | None = None
        self._ports = kafka_port, clickhouse_port
        self._say = say
        self._cleanup = ExitStack()
        self._processes = Processes(folder, say)

    @property
    def workers(self) -> dict[str, ChildProcess]:
        """Name → process of every worker, agent and monitor that is meant to run."""
        return self._processes.running

    def __enter__(self) -> Self:
        """Start everything; raises ``Unreachable`` and leaves nothing behind if that fails."""
        with ExitStack() as cleanup:
            self._cleanup = cleanup
            self._start()
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def start_worker(self, name: str) -> None:
        """Start ``score-N``, ``sink`` or ``monitor`` as a process of its own."""
        kind = name.partition("-")[0]
        arguments = ("monitor",) if kind == "monitor" else ("worker", kind)
        self._start_part(Part(name, _JOBS[kind], arguments, self.folder / name))

    def start_agent(self, name: str, arguments: Sequence[str]) -> None:
        """Start ``renown`` with ``arguments`` as an agent; its cursor lies in our folder."""
        self._start_part(Part(name, _AGENT_JOB, tuple(arguments), self.folder))

    def stop_worker(self, name: str) -> None:
        """SIGTERM: what the worker has applied is checkpointed before it ends."""
        self._processes.stop(name)

    def watch(self) -> None:
        """Start again what ended; raises ``RenownError`` if it keeps ending.

        Not the embedded broker: what it held is gone.
        """
        if self._broker and not self._broker.running:
            self._say("the embedded broker ended: so does everything else")
            # Without a broker they would wait in vain for what is not acknowledged.
            self._processes.patience = _HOPELESS_SECONDS
            raise RenownError(
                "the embedded broker ended, and its log with it: start again "
                f"(what is stored in {self.folder} stays)"
            )
        database = self.database
        if database and database.pid and not database.running:
            self._processes.count_end("the embedded ClickHouse", "its process is gone")
            database.stop()
            database.start()
        self._processes.watch()
        if self._renewal:
            self._renewal.run_due()

    def _start(self) -> None:
        self._prepare_folder()
        changes: dict[str, object] = {"data_dir": self.folder}
        if not self.settings.kafka:
            self._broker = EmbeddedBroker(self._ports[0], setting="--kafka-port")
            self._cleanup.enter_context(self._broker)
            changes |= {
                "kafka": self._broker.address,
                "checkpoint_dir": self._empty_checkpoints(),
                **_EMBEDDED_BROKER,
            }
            self._say(f"broker      embedded, {self._broker.address}")
        else:
            self._say(f"broker      {self.settings.kafka}")
        self.settings = self.settings.model_copy(update=changes)
        if self._fresh and "kafka" not in changes:
            make_fresh(self.settings, self._say)
        else:
            ensure_topics(self.settings)
        self._cleanup.callback(self._processes.forget_targets)
        if self._fresh:
            # Score workers need no database: they join their group while it starts.
            self._start_score_workers()
            self._start_clickhouse()
        else:
            self._start_clickhouse()
            if self._broker:
                self._go_on()
            self._start_score_workers()
        self.start_worker("sink")
        if self._monitor:
            self.start_worker("monitor")
        self._write_stack_file()
        self._tell_operators()
        if self._broker and self._broker.pid and self._most_broker_bytes:
            self._renewal = Renewal(
                self.settings,
                self._broker.pid,
                self._most_broker_bytes,
                publishers=lambda: self._pids_of("renown-agent"),
                scorers=lambda: self._pids_of("renown-score"),
                say=self._say,
            )
        if self._broker and not self._fresh:
            self._cleanup.callback(self._store_the_rest)

    def _store_the_rest(self) -> None:
        """Agents have stopped; the embedded broker's log goes with it, so it must be stored."""
        self.stop_worker("monitor")
        if not (self._broker and self._broker.running):
            return  # told already
        down = [name for name, child in self.workers.items() if not child.running]
        if down:
            self._say(f"{', '.join(down)} does not run: what is not stored yet goes; publish again")
            return
        self._say("Storing what has arrived ...")
        try:
            left = drain(self.settings, _DRAIN_SECONDS)
        except (RenownError, KafkaError) as error:
            self._say(f"cannot wait for what is not stored yet ({error}): publish it again")
            return
        if left:
            self._say(
                f"{left:,} records are not stored within {_DRAIN_SECONDS:.0f} s and go with the "
                "embedded broker: publish again what came last (what arrived counts once)"
            )

    def _go_on(self) -> None:
        """The embedded broker starts with nothing: make the states again that it has lost."""
        if found := rebuild_if_new(self.settings, self._say):
            self._say(f"rebuilt     {found.words}")

    def _start_score_workers(self) -> None:
        for number in range(1, self._score_workers + 1):
            self.start_worker(f"score-{number}")

    def _start_clickhouse(self) -> None:
        if not self.settings.clickhouse.get_secret_value():
            # A port of its own choice, so that it can come back at the same address.
            port = self._ports[1] or free_port()
            folder = self.folder / DATABASE_FOLDER
            self.database = EmbeddedClickHouse(folder, port=port, setting="--clickhouse-port")
            self._cleanup.enter_context(self.database)
            address = SecretStr(self.database.address)
            self.settings = self.settings.model_copy(update={"clickhouse": address})
        url = self.settings.clickhouse.get_secret_value()
        self._say(f"clickhouse  {ClickHouseAddress.parse(url)}")
        with connect(ClickHouseAddress.parse(url)) as client:
            migrate(client)

    def _prepare_folder(self) -> None:
        """An empty or kept folder that nobody else uses."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock()
            if self._fresh:
                _empty(self.folder)
            probe = self.folder / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise Unreachable(
                f"cannot write to {self.folder} ({error.strerror}): "
                "set RENOWN_DATA_DIR to a folder that can be written"
            ) from error

    def _empty_checkpoints(self) -> Path:
        """Where score workers keep their checkpoints; a new broker makes older ones worthless."""
        folder = self.folder.absolute() / CHECKPOINTS_FOLDER
        if folder.exists():
            shutil.rmtree(folder)
        return folder

    def _lock(self) -> None:
        """Hold the folder until the end; the lock goes with the process, however that ends."""
        holder = hold(self.folder / LOCK_FILE)
        if holder is None:
            raise Unreachable(
                f"{self.folder} is in use by another renown up or demo: stop it, or choose another "
                "folder with RENOWN_DATA_DIR"
            )
        self._cleanup.enter_context(holder)

    def _write_stack_file(self) -> None:
        path = self.folder / STACK_FILE
        content = {
            "kafka": self.settings.kafka,
            "clickhouse": self.settings.clickhouse.get_secret_value(),
            "pid": os.getpid(),
        }
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(json.dumps(content))
        self._cleanup.callback(path.unlink, missing_ok=True)

    def _tell_operators(self) -> None:
        registry = new_registry(supervision.JOB)
        registry.register(supervision.StackCollector(self._pids, lambda: self._processes.restarts))
        port = self.settings.metrics_port or free_port()
        own = self.settings.model_copy(update={"metrics_host": LOOPBACK, "metrics_port": port})
        telemetry = self._cleanup.enter_context(Telemetry(own, registry))
        self._processes.add_target("up", supervision.JOB, telemetry.port)

    def _pids(self) -> dict[str, int | None]:
        """Name → process id of everything that runs here."""
        servers = {"broker": self._broker, "clickhouse": self.database}
        return {
            "up": os.getpid(),
            **{name: server.pid for name, server in servers.items() if server},
            **{name: child.pid for name, child in list(self.workers.items())},
        }

    def _pids_of(self, *jobs: str) -> list[int]:
        found = (self.workers[name].pid for name in self._processes.of_jobs(jobs))
        return [pid for pid in found if pid]

    def _start_part(self, part: Part) -> None:
        self._processes.start(part, self.settings)
        self._cleanup.callback(self.stop_worker, part.name)


def _empty(folder: Path) -> None:
    """Remove everything but the lock, which is held."""
    for entry in folder.iterdir():
        if entry.name == LOCK_FILE:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
