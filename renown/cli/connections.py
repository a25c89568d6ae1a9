"""Which broker and which ClickHouse a command speaks to.

What the settings name comes first. Where they name nothing, it is the stack that ``renown up`` or
``renown demo`` runs, whose addresses lie in the data folder; and where none runs, a ClickHouse
that one of them left behind is opened for as long as the command takes.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import SecretStr

from config.errors import Unreachable
from config.logging import configure_logging
from config.settings import ClickHouseAddress, Settings, load_settings
from renown.cli.output import remark
from renown.folders import DATABASE_FOLDER, DEMO_FOLDER, STACK_FILE

if TYPE_CHECKING:
    from streams.sinks.client import Database


_HELLO_SECONDS: Final = 20.0


class RunningStack(NamedTuple):
    """Addresses that a running ``up`` or ``demo`` has told, and the folder of its files."""

    kafka: str
    clickhouse: str
    folder: Path


def start() -> Settings:
    """The settings of a command; its log is that of a command from here on."""
    settings = load_settings()
    configure_logging(settings, libraries=False)
    return settings


def with_broker(settings: Settings) -> Settings:
    """The settings with the broker's address; raises ``Unreachable`` if there is none."""
    if settings.kafka:
        return settings
    if stack := running_stack(settings):
        return settings.model_copy(update={"kafka": stack.kafka})
    raise Unreachable("no broker is running: start renown up, or set RENOWN_KAFKA")


def with_addresses(settings: Settings, *, clickhouse: bool) -> Settings:
    """The settings of a worker, which needs what runs: nothing is opened for it."""
    found = with_broker(settings)
    if clickhouse and not found.clickhouse.get_secret_value():
        stack = running_stack(settings)
        if not stack:
            raise Unreachable("no ClickHouse is running: start renown up, or set RENOWN_CLICKHOUSE")
        found = found.model_copy(update={"clickhouse": SecretStr(stack.clickhouse)})
    return found


@contextmanager
def database(settings: Settings, *, readonly: bool = False) -> Iterator["Database"]:
    """ClickHouse; raises ``Unreachable`` if there is none. ``readonly``: it refuses changes."""
    from renown.cli.readonly import ReadOnlyDatabase
    from streams.sinks.client import Database
    from streams.sinks.errors import Refused

    kind = ReadOnlyDatabase if readonly else Database
    with _database_url(settings) as url:
        address = ClickHouseAddress.parse(url)
        # A long query may be silent for minutes; whether anybody is there shows sooner.
        with Database(address, answer_seconds=_HELLO_SECONDS) as db, suppress(Refused):
            db.query("SELECT 1")
        with kind(address) as db:
            yield db


def running_stack(settings: Settings) -> RunningStack | None:
    """The stack that runs on the data folder, or the one of a demo inside it."""
    for folder in (settings.data_dir, settings.data_dir / DEMO_FOLDER):
        try:
            content = json.loads((folder / STACK_FILE).read_bytes())
            stack = RunningStack(str(content["kafka"]), str(content["clickhouse"]), folder)
            os.kill(int(content["pid"]), 0)
        except PermissionError:
            continue  # it belongs to somebody else
        except (OSError, ValueError, KeyError, TypeError):
            continue  # none, or what a killed one left behind
        return stack
    return None


def left_behind(settings: Settings) -> Path | None:
    """The folder of the embedded ClickHouse that was used last, if there is one."""
    folders = [
        folder / DATABASE_FOLDER for folder in (settings.data_dir, settings.data_dir / DEMO_FOLDER)
    ]
    found = [folder for folder in folders if folder.is_dir() and any(folder.iterdir())]
    return max(found, key=_last_change, default=None)


@contextmanager
def _database_url(settings: Settings) -> Iterator[str]:
    url = settings.clickhouse.get_secret_value()
    if not url and (stack := running_stack(settings)):
        url = stack.clickhouse
    if url:
        yield url
        return
    folder = left_behind(settings)
    if folder is None:
        raise Unreachable(
            "no ClickHouse is running: start renown demo or renown up, or set RENOWN_CLICKHOUSE"
        )
    from renown.embedded.clickhouse import EmbeddedClickHouse

    remark(f"Nothing is running; reading what is stored in {folder}")
    with EmbeddedClickHouse(folder) as embedded:
        yield embedded.address


def _last_change(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
