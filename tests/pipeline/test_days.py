"""Days in the whole flow: classes are those of the reference, undisturbed and after a kill."""

import gzip
import random
from pathlib import Path

import pytest

from agents.formats import Format
from renown.run.demo import Demo
from renown.run.options import Play
from renown.run.report import Figures
from renown.run.stack import Stack
from schemas.interaction import Interaction
from schemas.kinds import KINDS
from schemas.model import load_model
from streams.core.days import day_of
from streams.engine.crash_points import VARIABLE, Point
from tests.support import flow
from tests.support.days import DAY_POINTS, reference
from tests.support.flow import Disturbances
from tests.support.interactions import HOUR, encode, interaction
from tests.support.oracle import load_oracle

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

MODEL = load_model(2)
DAYS = 10
START = 19_000 * 24 * HOUR
STARS = [f"twitter:star-{number}" for number in range(4)]


def made() -> list[Interaction]:
    """Stars whom many engage with, who engage themselves; some fans engage with everybody."""
    drawn = random.Random(7)
    events = []
    for day in range(DAYS):
        fans = [f"twitter:fan-{number}" for number in range(60 + 20 * day)]
        for number in range(400):
            actor = drawn.choice(fans) if number % 4 else drawn.choice([*STARS, fans[0], fans[1]])
            target = drawn.choice(STARS) if number % 3 else drawn.choice(fans)
            at = START + day * 24 * HOUR + number * 24 * HOUR // 400 + drawn.randrange(1000)
            kind = drawn.choice(KINDS)
            events.append(
                interaction(id=f"{day} {number}", kind=kind, actor=actor, target=target, at=at)
            )
    return sorted(events, key=lambda event: event.at)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "events.jsonl.gz"
    with gzip.open(path, "wb") as file:
        file.writelines(encode(event) + b"\n" for event in made())
    return path


Row = tuple[str, str, str, int, int]
"""Kind, actor, target, event time in ms, class."""


def expected(test_data: Path) -> list[Row]:
    events = [event for event in made() if event.actor != event.target]
    rows = [(day_of(event.at), event) for event in events]
    classes = reference(rows, day_of(START), load_oracle(test_data), MODEL)
    return sorted(
        (event.kind.value, event.actor, str(event.target), event.at, class_)
        for event, class_ in zip(events, classes, strict=True)
    )


def stored(folder: Path) -> list[Row]:
    with flow.stored(folder) as db:
        return sorted(
            tuple(row)
            for row in db.query(
                "SELECT kind, actor, target, toUnixTimestamp64Milli(at), class FROM interactions"
            )
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, events: Path) -> tuple[Path, Figures]:
    """An undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, flow.run(folder, Demo(Play(events, Format.JSONL), quiet=True), score_model=2)


def test_classes_are_those_of_the_reference(test_data: Path, whole: tuple[Path, Figures]) -> None:
    wanted = expected(test_data)
    assert {row[-1] for row in wanted} == {0, 2, 3, 4}
    assert stored(whole[0]) == wanted


DEATHS = [f"{point.value}:10" for point in sorted({*DAY_POINTS, Point.WEIGH_FRAMES_SENT})]
"""Places, and the how manieth time a worker comes by."""
SPEED = 57_600.0
"""The ten days in 15 s."""


@pytest.mark.parametrize("death", DEATHS)
def test_a_kill_makes_no_difference(
    tmp_path: Path,
    events: Path,
    whole: tuple[Path, Figures],
    death: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def only_the_first_dies(stack: Stack) -> None:
        assert stack.workers["score-1"].running
        monkeypatch.delenv(VARIABLE, raising=False)

    monkeypatch.setenv(VARIABLE, death)
    steps = Disturbances((0.0, only_the_first_dies))
    play = Play(events, Format.JSONL, SPEED)
    killed = flow.run(tmp_path, Demo(play, quiet=True), disturbances=steps, score_model=2)
    folder, figures = whole
    assert stored(tmp_path) == stored(folder)
    assert flow.comparable(killed) == flow.comparable(figures)
    with flow.stored(tmp_path) as db:
        assert db.query("SELECT max(epoch) FROM scores")[0][0] > 1, "nobody died"
