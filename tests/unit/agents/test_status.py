"""The status files of agents."""

from pathlib import Path

import pytest

from agents.status import AgentStatus, read_statuses, write_status
from config.errors import Unreachable


def test_what_is_written_is_read_by_name(tmp_path: Path) -> None:
    bluesky = AgentStatus(
        name="bluesky",
        networks=("bluesky",),
        pid=7,
        started_at=1,
        updated_at=2,
        state="running",
        cursor="1700000000000000",
        cursor_at=1_700_000_000_000,
        published={"like": 3},
        rejected={"follow": 1},
        metrics_port=9101,
    )
    other = AgentStatus(name="another", state="paused", detail="the broker is away")
    assert read_statuses(tmp_path) == []
    write_status(tmp_path / "made", bluesky)
    write_status(tmp_path / "made", other)
    assert read_statuses(tmp_path / "made") == [other, bluesky]
    bluesky.state = "stopped"
    write_status(tmp_path / "made", bluesky)
    assert read_statuses(tmp_path / "made") == [other, bluesky]
    assert len(list((tmp_path / "made").iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"{", b'{"name":3}', b"\xff\xfe", b"[]"])
def test_a_damaged_file_says_so(tmp_path: Path, content: bytes) -> None:
    write_status(tmp_path, AgentStatus(name="sound"))
    (tmp_path / "odd.json").write_bytes(content)
    odd, sound = read_statuses(tmp_path)
    assert sound.name == "sound"
    assert (odd.name, odd.state) == ("odd", "failed")
    assert "odd.json cannot be read" in odd.detail


def test_a_folder_that_cannot_be_written_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "agents").write_text("in the way")
    with pytest.raises(Unreachable, match=r"status of agent x in .*RENOWN_DATA_DIR"):
        write_status(tmp_path / "agents", AgentStatus(name="x"))
