"""How an agent is, by its status file and its process."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from agents.status import AgentStatus
from config.settings import load_settings
from renown.agent_states import agent_states, judge
from renown.cli.main import main

NOW = 1_709_294_400_000


def status(**values: object) -> AgentStatus:
    return AgentStatus(
        **{  # type: ignore[arg-type]
            "name": "bluesky",
            "networks": ("bluesky",),
            "pid": os.getpid(),
            "updated_at": NOW - 500,
            "state": "running",
            "cursor": "abc",
            "cursor_at": NOW - 2_500,
            "published": {"like": 3, "mention": 1},
            **values,
        }
    )


def write(folder: Path, one: AgentStatus) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{one.name}.json").write_bytes(msgspec.json.encode(one))


def ended_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@pytest.mark.parametrize(
    ("values", "alive", "state", "shown_alive", "detail"),
    [
        ({}, True, "running", True, ""),
        ({"state": "connecting", "detail": "refused"}, True, "connecting", True, "refused"),
        ({}, False, "died", False, "its process is gone"),
        ({"state": "stopped"}, False, "stopped", False, ""),
        ({"state": "stopped"}, True, "stopped", False, ""),  # another process has its number
        ({"state": "failed", "detail": "why"}, False, "failed", False, "why"),
        ({"updated_at": NOW - 60_000}, True, "running", True, "silent for 60 s"),
    ],
)
def test_judge(
    values: dict[str, object], alive: bool, state: str, shown_alive: bool, detail: str
) -> None:
    found = judge(status(**values), NOW, alive=alive, folder=Path("here"))
    assert (found.state, found.alive) == (state, shown_alive)
    assert found.detail.startswith(detail)
    assert bool(found.detail) == bool(detail)
    assert found.behind_seconds == 2.5


def test_every_known_agent_is_listed_and_those_of_the_demo_too(tmp_path: Path) -> None:
    write(tmp_path / "agents", status())
    write(tmp_path / "demo" / "agents", status(name="generate", pid=ended_pid(), cursor_at=0))
    states = agent_states(load_settings(_env_file=None, data_dir=tmp_path), NOW)
    assert [(one.agent, one.state) for one in states] == [
        ("bluesky", "running"),
        ("generate", "died"),
        ("replay", "never ran"),
    ]
    assert states[1].behind_seconds is None
    assert states[1].folder == str(tmp_path / "demo")


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RENOWN_DATA_DIR", str(tmp_path))
    write(tmp_path / "agents", status(pid=ended_pid(), rejected={"self": 2}))
    (tmp_path / "agents" / "broken.json").write_text("{")
    assert main(["agents"]) == 0
    out = capsys.readouterr().out
    assert "4 (3 like, 1 mention)" in out
    assert "2 self" in out
    assert "bluesky: its process is gone" in out
    assert "broken.json cannot be read" in out
    assert main(["agents", "--json"]) == 0
    found = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["agent"], one["state"]) for one in found] == [
        ("bluesky", "died"),
        ("broken", "failed"),
        ("generate", "never ran"),
        ("replay", "never ran"),
    ]
    assert found[0]["published"] == {"like": 3, "mention": 1}
