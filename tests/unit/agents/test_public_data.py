"""What the parsers make of public files, to the line."""

from collections import Counter
from pathlib import Path

import pytest

from agents.formats import Format
from agents.sources.replay import Replay
from tests.support.data import present
from tests.support.publishing import MemoryOutlet, StillClock


def data(folder: Path, name: str) -> Path:
    return present(folder / "datasets" / name)


@pytest.mark.slow
def test_the_higgs_file(test_data: Path) -> None:
    path = data(test_data, "higgs-twitter/higgs-activity_time.txt.gz")
    outlet = MemoryOutlet()
    report = Replay(path, Format.SNAP, outlet, clock=StillClock()).run()
    assert (report.read, report.folded, report.self_dropped) == (563_069, 36_902, 7_081)
    assert report.published == {"retweet": 354_930, "mention": 127_761, "comment": 36_395}
    assert report.published_total == 519_086
    assert report.rejected == {}
    assert len({interaction.id for interaction in outlet.published}) == 519_086
    got = Counter(i.kind.value for i in outlet.published if i.target == "twitter:88")
    assert got == {"retweet": 18_977, "mention": 14_358, "comment": 1_324}


@pytest.mark.parametrize(("network", "kind"), [("tw", "retweet"), ("fb", "comment")])
def test_klouts_files(test_data: Path, network: str, kind: str) -> None:
    path = data(test_data, f"klout-when-to-post/user_timestamp_open_set_{network}.tsv")
    outlet = MemoryOutlet()
    report = Replay(path, Format.KLOUT, outlet, clock=StillClock()).run()
    assert (report.read, report.rejected) == (1000, {})
    assert report.published == {kind: 1000}
    assert len({interaction.id for interaction in outlet.published}) == 1000
