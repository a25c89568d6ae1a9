"""All processes of Renown on one machine: broker and ClickHouse where none is set, and workers."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from config.broker import ensure_topics
from config.errors import RenownError, Unreachable
from config.settings import ClickHouseAddress, Settings
from renown.embedded.broker import EmbeddedBroker
from renown.embedded.clickhouse import EmbeddedClickHouse
from renown.embedded.process import ChildProcess, free_port
from renown.folders import DATABASE_FOLDER, STACK_FILE
from renown.run.fresh import make_fresh
from streams.sinks.client import connect
from streams.sinks.migrate import migrate

_MOST_RESTARTS = 5
_RESTARTS_WITHIN = 300.0
"""Seconds."""
_STOP_SECONDS = 30.0
_EMBEDDED_BROKER: dict[str, object] = {"session_seconds": 6.0, "truncate_changelog": False}
"""It lets a new group wait for half of its session time, and knows no DeleteRecords."""

Say = Callable[[str], None]


class Stack:
    """Starts what is missing, in order, and stops it in the reverse order.

    ``folder`` holds the embedded ClickHouse and the workers' files; ``fresh`` empties it first,
    and a Kafka that is not embedded of what an earlier fresh stack left there.
    A port of 0 takes any free one.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        fresh: bool = False,
        score_workers: int = 1,
        kafka_port: int = 0,
        clickhouse_port: int = 0,
        say: Say = print,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.workers: dict[str, ChildProcess] = {}
        self.database: EmbeddedClickHouse | None = None
        self._fresh = fresh
        self._score_workers = score_workers
        self._ports = kafka_port, clickhouse_port
        self._say = say
        self._cleanup = ExitStack()
        self._restarts: list[float] = []

    def __enter__(self) -> Self:
        """Start everything; raises ``Unreachable`` and leaves nothing behind if that fails."""
        with ExitStack() as cleanup:
            self._cleanup = cleanup
            self._start()
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _start(self) -> None:
        self._prepare_folder()
        changes: dict[str, object] = {"data_dir": self.folder}
        if not self.settings.kafka:
            broker = EmbeddedBroker(self._ports[0], setting="--kafka-port")
            self._cleanup.enter_context(broker)
            changes |= {"kafka": broker.address, **_EMBEDDED_BROKER}
            self._say(f"broker      embedded, {broker.address}")
        else:
            self._say(f"broker      {self.settings.kafka}")
        self.settings = self.settings.model_copy(update=changes)
        if self._fresh and "kafka" not in changes:
            make_fresh(self.settings, self._say)
        else:
            ensure_topics(self.settings)
        self._start_clickhouse_beside_the_workers()
        self._write_stack_file()

    def _start_clickhouse_beside_the_workers(self) -> None:
        # Score workers need no database: they join their group while it starts.
        for number in range(1, self._score_workers + 1):
            self.start_worker(f"score-{number}")
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
        self.start_worker("sink")

    def _prepare_folder(self) -> None:
        try:
            if self._fresh and self.folder.exists():
                shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise Unreachable(
                f"cannot write to {self.folder} ({error.strerror}): "
                "set RENOWN_DATA_DIR to a folder that can be written"
            ) from error

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

    def start_worker(self, name: str) -> None:
        """Start ``score-N`` or ``sink`` as a process of its own."""
        command = [sys.executable, "-m", "renown", "worker", name.partition("-")[0]]
        log = self.folder / f"{name}.log"
        child = ChildProcess(f"worker {name}", command, self._environment(name), log)
        self.workers[name] = child.start()
        self._cleanup.callback(self.stop_worker, name)

    def stop_worker(self, name: str) -> None:
        """SIGTERM: what the worker has applied is checkpointed before it ends."""
        if child := self.workers.pop(name, None):
            child.stop(_STOP_SECONDS)

    def watch(self) -> None:
        """Start workers again that ended; raises ``RenownError`` if they keep ending."""
        for name, child in list(self.workers.items()):
            if child.running:
                continue
            last = " | ".join(child.last_lines(2)) or "it printed nothing"
            now = time.monotonic()
            self._restarts = [at for at in self._restarts if now - at < _RESTARTS_WITHIN] + [now]
            if len(self._restarts) > _MOST_RESTARTS:
                raise RenownError(
                    f"worker {name} keeps ending ({last}): see {self.folder}/{name}.log"
                )
            self._say(f"worker {name} ended ({last}); starting it again")
            child.stop()
            self.start_worker(name)
            time.sleep(1.0)

    def _environment(self, name: str) -> dict[str, str]:
        settings = self.settings.model_dump(exclude_unset=False, exclude_none=True)
        secret = {
            key: value.get_secret_value() if isinstance(value, SecretStr) else value
            for key, value in settings.items()
        }
        secret["data_dir"] = (self.folder / name).absolute()
        changes = {f"RENOWN_{key.upper()}": str(value) for key, value in secret.items()}
        return {**os.environ, **changes}
