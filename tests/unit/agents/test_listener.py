"""The listening agent: how it says how it is, what its checks find, how it ends."""

import io
from pathlib import Path

import pytest

from agents.display import ListenerDisplay, words
from agents.networks.bluesky import read
from agents.status import STATUS_FOLDER, AgentStatus, read_statuses
from config.errors import RenownError, Unreachable
from tests.support import bluesky as sky
from tests.support.listening import Ear
from tests.support.publishing import NOW, MemoryOutlet, StillClock


class Payloads:
    """A feed of given payloads, which then stays silent."""

    connected = True
    detail = ""
    place = "here:1"

    def __init__(self, clock: StillClock, *payloads: bytes) -> None:
        self.reconnects = self.asked_from = self.too_big = 0
        self.closed = False
        self._clock = clock
        self._payloads = list(payloads)

    def receive(self, position: int, seconds: float) -> bytes | None:
        if self._payloads:
            return self._payloads.pop(0)
        self._clock.sleep(seconds)
        return None

    def close(self) -> None:
        self.closed = True


def ear_of(tmp_path: Path, outlet: MemoryOutlet, *payloads: bytes) -> tuple[Ear, Payloads]:
    clock = StillClock()
    ear = Ear(tmp_path, outlet, ["ws://127.0.0.1:9/"], clock=clock)
    feed = Payloads(clock, *payloads)
    ear.listener._feed = feed
    return ear, feed


def like(seconds: int) -> bytes:
    return sky.like("noor", sky.uri("ava", "3"), time_us=(NOW + seconds * 1000) * 1000)


def test_its_status_says_what_it_did(tmp_path: Path) -> None:
    ear, feed = ear_of(tmp_path, MemoryOutlet(), like(-3), like(-2), b"?")
    feed.reconnects = 4
    status = ear.listen(lambda e: e.live.counts.rejected)
    (written,) = read_statuses(tmp_path / STATUS_FOLDER)
    assert written == status
    assert (status.state, status.networks) == ("stopped", ("bluesky",))
    assert (status.cursor, status.cursor_at) == (str((NOW - 2000) * 1000), NOW - 2000)
    assert (status.published, status.rejected) == ({"like": 2}, {"not a message": 1})
    assert (status.started_at, status.reconnects) == (NOW, 4)
    assert feed.closed
    told = ear.registry.get_sample_value("renown_agent_reconnects_total", {"network": "bluesky"})
    assert told == 4


def test_a_failure_is_in_its_status(tmp_path: Path) -> None:
    ear, feed = ear_of(tmp_path, MemoryOutlet(fails_at=0), like(-3))
    with pytest.raises(RenownError, match="refused a record"):
        ear.listen(lambda _: False)
    (status,) = read_statuses(tmp_path / STATUS_FOLDER)
    assert (status.state, status.detail) == ("failed", "the broker refused a record")
    assert feed.closed
    assert not (tmp_path / "cursors" / "bluesky.json").exists()


def test_a_status_that_cannot_be_written_ends_it(tmp_path: Path) -> None:
    (tmp_path / STATUS_FOLDER).touch()
    ear, _ = ear_of(tmp_path, MemoryOutlet(), like(-3))
    with pytest.raises(Unreachable, match="RENOWN_DATA_DIR"):
        ear.listen(lambda _: True)


def test_a_gap_is_counted_and_told_once(tmp_path: Path) -> None:
    ear, feed = ear_of(tmp_path, MemoryOutlet(), like(-300), like(-299))
    feed.asked_from = (NOW - 3_600_000) * 1000
    status = ear.listen(lambda e: e.live.state.at == NOW - 299_000)
    assert status.rejected == {"gap": 1}
    (line,) = ear.said
    assert line.startswith("here:1 has nothing from 2025-10-09 07:53:20 UTC to 2025-10-09 08:48:20")


def test_its_checks_say_what_is_wrong(tmp_path: Path) -> None:
    outlet = MemoryOutlet()
    ear, feed = ear_of(tmp_path, outlet)
    listener, clock = ear.listener, feed._clock
    assert (listener.alive(), listener.reading(), listener.broker()) == ("", "", "")
    feed.connected, feed.detail = False, "no answer"
    assert listener.reading() == "no answer"
    outlet.deaf = True
    ear.live.handle(read(like(-1), NOW), b"", "here:1")
    clock.sleep(2)
    ear.live.tick()
    clock.sleep(61)
    assert listener.broker() == "no acknowledgement for 61 s"
    assert listener.alive() == "has done nothing for 63 s"


def test_a_plain_display_says_remarks_at_once_and_the_rest_each_minute() -> None:
    out, clock = io.StringIO(), StillClock()
    status = AgentStatus(name="bluesky", state="running", published={"like": 1200}, posts=7)
    with ListenerDisplay(out, clock.monotonic) as display:
        display.tell(status)
        clock.sleep(30)
        status.published["like"] = 1500
        display.tell(status)
        display.say("connected to here")
        clock.sleep(30)
        status.published["like"] = 1800
        display.tell(status)
    first, remark, second = out.getvalue().splitlines()
    assert first == "bluesky running: 1,200 interactions, 7 posts"
    assert remark.endswith(" connected to here")
    assert second == "bluesky running: 1,800 interactions, 10/s, 7 posts"


def test_a_status_in_words() -> None:
    status = AgentStatus(
        name="bluesky",
        state="connecting",
        detail="no answer",
        published={"like": 2, "comment": 3},
        rejected={"self": 1, "follow": 1},
        cursor_at=NOW - 4_000,
        updated_at=NOW,
    )
    assert words(status) == (
        "bluesky connecting (no answer): 5 interactions, 0 posts, 2 not counted, 4 s behind"
    )


def test_a_terminal_shows_one_living_line() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    with ListenerDisplay(out) as display:
        display.tell(AgentStatus(name="bluesky", detail="[red]as it is[/red]"))
        display.say("[bold]a remark")
    assert "[bold]a remark" in out.getvalue()
