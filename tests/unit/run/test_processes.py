"""Children of a stack: where Prometheus finds them, and that they come back."""

import json
import os
from pathlib import Path

import pytest

from config.errors import RenownError
from config.settings import Settings, load_settings
from renown.folders import TARGETS_FILE
from renown.run.processes import Part, Processes
from renown.run.supervision import StackCollector, resident_bytes
from tests.support.stack import wait_until


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(_env_file=None, data_dir=tmp_path, kafka="127.0.0.1:1")


def part(folder: Path, *arguments: str) -> Part:
    return Part("one", "renown-agent", arguments, folder)


def targets(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / TARGETS_FILE).read_text())
    return found


def test_a_process_is_a_target_while_it_is_meant_to_run(tmp_path: Path, settings: Settings) -> None:
    said: list[str] = []
    processes = Processes(tmp_path, said.append)
    processes.start(part(tmp_path, "--version"), settings)
    (target,) = targets(tmp_path)
    assert target["labels"] == {"job": "renown-agent", "process": "one"}
    child = processes.running["one"]
    wait_until(lambda: not child.running, 20, "renown --version ends")
    assert targets(tmp_path) == [target], "a process that died is still looked for"
    processes.watch()
    assert targets(tmp_path) == [target], "it comes back at the same port"
    assert processes.restarts == {"one": 1}
    assert "worker one ended (renown 0" in said[0]
    processes.stop("one")
    assert targets(tmp_path) == []


def test_a_process_that_keeps_ending_is_told(tmp_path: Path) -> None:
    processes = Processes(tmp_path, lambda _line: None)
    for _ in range(5):
        processes.count_end("worker one", "no reason")
    with pytest.raises(RenownError, match="worker one keeps ending"):
        processes.count_end("worker one", "no reason")


def test_memory_and_restarts_are_told_of_what_lives(tmp_path: Path) -> None:
    pids = {"here": os.getpid(), "not started": None, "gone": 2**22 + 1}
    collector = StackCollector(lambda: pids, lambda: {"here": 2})
    memory, restarts = collector.collect()
    if not Path("/proc/self/statm").exists():
        pytest.skip("this system has no /proc")
    (sample,) = memory.samples
    assert sample.labels == {"part": "here"}
    assert sample.value == pytest.approx(resident_bytes(os.getpid()), rel=0.2)
    assert [(s.labels, s.value) for s in restarts.samples] == [({"part": "here"}, 2)]
