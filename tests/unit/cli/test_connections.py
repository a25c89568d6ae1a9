"""Which broker and ClickHouse a command finds where none is set."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import Unreachable
from config.settings import Settings, load_settings
from renown.cli.connections import database, left_behind, running_stack, with_addresses, with_broker


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path)


def write_stack(folder: Path, pid: int, port: int = 1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "kafka": f"127.0.0.1:{port}",
        "clickhouse": f"clickhouse://127.0.0.1:{port}",
        "pid": pid,
    }
    (folder / "stack.json").write_text(json.dumps(content))


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_is_set_comes_first(tmp_path: Path) -> None:
    write_stack(tmp_path, os.getpid())
    settings = load_settings(data_dir=tmp_path, kafka="k:1", clickhouse="clickhouse://c")
    found = with_addresses(settings, clickhouse=True)
    assert (found.kafka, found.clickhouse.get_secret_value()) == ("k:1", "clickhouse://c")


@pytest.mark.parametrize("folder", [".", "demo"])
def test_a_running_stack_is_found(settings: Settings, folder: str) -> None:
    write_stack(settings.data_dir / folder, os.getpid())
    found = with_addresses(settings, clickhouse=True)
    assert found.kafka == "127.0.0.1:1"
    assert found.clickhouse.get_secret_value() == "clickhouse://127.0.0.1:1"


def test_what_a_killed_stack_left_is_ignored(settings: Settings) -> None:
    write_stack(settings.data_dir, dead_pid())
    write_stack(settings.data_dir / "demo", os.getpid(), port=2)
    stack = running_stack(settings)
    assert stack
    assert stack.kafka == "127.0.0.1:2"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kafka": "a:1"}'])
def test_a_broken_file_is_no_stack(settings: Settings, text: str) -> None:
    (settings.data_dir / "stack.json").write_text(text)
    assert running_stack(settings) is None


def test_nothing_to_be_found_is_told(settings: Settings) -> None:
    with pytest.raises(Unreachable, match="RENOWN_KAFKA"):
        with_broker(settings)
    with pytest.raises(Unreachable, match="RENOWN_CLICKHOUSE"), database(settings):
        pass


def test_the_clickhouse_used_last_is_found(settings: Settings) -> None:
    assert left_behind(settings) is None
    for folder, time in ((settings.data_dir, 100), (settings.data_dir / "demo", 200)):
        file = folder / "clickhouse" / "status"
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, (time, time))
        os.utime(file.parent, (time, time))
    assert left_behind(settings) == settings.data_dir / "demo" / "clickhouse"
    (settings.data_dir / "clickhouse" / "status").touch()
    assert left_behind(settings) == settings.data_dir / "clickhouse"
