"""The embedded ClickHouse's own life: its folder, its end, expected or not."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from config.errors import Unreachable
from config.settings import ClickHouseAddress
from renown.embedded.clickhouse import EmbeddedClickHouse
from tests.support.stack import wait_until


def client_of(server: EmbeddedClickHouse) -> Client:
    """A client of ``server``."""
    return Client("127.0.0.1", ClickHouseAddress.parse(server.address).port)


def test_data_outlives_a_stop_and_a_second_server_is_refused(tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path / "data") as server:
        with client_of(server) as client:
            client.execute("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
            client.execute("INSERT INTO t VALUES", [(n,) for n in range(1000)])
        with pytest.raises(Unreachable, match=r"data is in use by another process"):
            EmbeddedClickHouse(tmp_path / "data").start()
        port = ClickHouseAddress.parse(server.address).port
        with pytest.raises(Unreachable, match=rf"port {port} .* another with --port"):
            EmbeddedClickHouse(port=port, setting="--port").start()
    with EmbeddedClickHouse(tmp_path / "data") as server, client_of(server) as client:
        assert client.execute("SELECT count(), sum(a) FROM t") == [(1000, 499_500)]


def insert_until_refused(client: Client, when: float, then: Callable[[], None]) -> int:
    """Insert 0, 1, … one by one, ``then`` coming after ``when`` seconds; returns how many went."""
    client.execute("DROP TABLE IF EXISTS t")
    client.execute("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
    timer = threading.Timer(when, then)
    timer.start()
    for number in range(100_000):
        try:
            client.execute("INSERT INTO t VALUES", [(number,)])
        except (EOFError, OSError, Error):
            timer.join()
            return number
    raise AssertionError("the server goes on")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("when", [0.2, 0.5])
def test_what_was_acknowledged_outlives_any_end(
    tmp_path: Path, end: signal.Signals, when: float
) -> None:
    """At most one insert more is there: one that was stored but not yet acknowledged."""
    with EmbeddedClickHouse(tmp_path) as server, client_of(server) as client:
        pid = server.pid
        assert pid
        acknowledged = insert_until_refused(client, when, lambda: os.kill(pid, end))
        wait_until(lambda: not server.running, 10, "the end of the server")
    assert acknowledged
    with EmbeddedClickHouse(tmp_path) as again, client_of(again) as client:
        found = client.execute("SELECT count(), max(a) + 1 FROM t")[0]
    assert found in [(acknowledged, acknowledged), (acknowledged + 1, acknowledged + 1)]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unreachable, match="RENOWN_DATA_DIR"):
        EmbeddedClickHouse(tmp_path / "file" / "data").start()


def test_a_temporary_folder_goes_with_the_server() -> None:
    server = EmbeddedClickHouse().start()
    folder = server._temporary
    assert folder
    assert folder.is_dir()
    server.stop()
    assert not folder.exists()
    with pytest.raises(RuntimeError):
        _ = server.address


def test_a_temporary_folder_goes_even_if_the_parent_is_killed() -> None:
    code = (
        "import os, signal; from renown.embedded.clickhouse import EmbeddedClickHouse\n"
        "print(EmbeddedClickHouse().start()._temporary, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=False, cwd=root
    )
    folder = Path(done.stdout.strip())
    assert folder.name.startswith("renown-clickhouse-")
    wait_until(lambda: not folder.exists(), 20, "the end of the temporary folder")


def test_its_memory_is_bounded() -> None:
    with EmbeddedClickHouse() as server, client_of(server) as client:
        found = client.execute("SELECT name, value FROM system.server_settings")
    settings = dict(found)
    assert settings["max_server_memory_usage_to_ram_ratio"] == "0.5"
    for cache in ("mark", "primary_index", "index_mark", "query_condition"):
        assert int(settings[f"{cache}_cache_size"]) <= 256 << 20
