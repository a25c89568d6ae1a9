"""The demo's data: made again alike, as varied as it says, and counted right."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agents.demo_world.__main__ import SEED, write
from agents.demo_world.story import Story
from agents.formats import Format
from agents.sources.replay import Replay
from schemas.kinds import KINDS
from schemas.model import load_model
from streams.core.weigh import WeighSource
from tests.support.publishing import MemoryOutlet, StillClock
from tests.support.rows import all_rows

DEMO = Path(__file__).parents[3] / "renown" / "demo"
PARTITIONS = 4


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEMO / "expected.json").read_text(encoding="utf-8"))
    return found


def test_the_committed_files_are_what_the_script_makes(
    tmp_path: Path, expected: dict[str, Any]
) -> None:
    write(tmp_path)
    made = gzip.decompress((tmp_path / "interactions.jsonl.gz").read_bytes())
    assert made == gzip.decompress((DEMO / "interactions.jsonl.gz").read_bytes())
    assert json.loads((tmp_path / "expected.json").read_text(encoding="utf-8")) == expected


def test_another_seed_gives_another_world() -> None:
    assert Story(SEED).lines()[:10] != Story(SEED + 1).lines()[:10]


def test_the_world_is_small_and_has_everything_in_it(expected: dict[str, Any]) -> None:
    assert (DEMO / "interactions.jsonl.gz").stat().st_size < 300_000
    assert 15_000 <= expected["read"] <= 25_000
    assert set(expected["accepted"]) == {kind.value for kind in KINDS}
    for what in ("duplicates", "undone", "unmatched", "late", "self"):
        assert expected[what] > 0
    assert len(expected["dead"]) == 12


def test_weighing_finds_exactly_what_the_script_counted(expected: dict[str, Any]) -> None:
    outlet = MemoryOutlet(PARTITIONS)
    replay = Replay(DEMO / "interactions.jsonl.gz", Format.JSONL, outlet, clock=StillClock())
    report = replay.run()
    assert report.read == expected["read"]
    assert report.self_dropped == expected["self"]
    assert report.last_at == outlet.clocks[-1] == expected["last_at"]
    assert sum(report.rejected.values()) == sum(expected["dead"].values())

    totals: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    live: Counter[tuple[str, str]] = Counter()
    for (topic, partition), records in outlet.logs().items():
        source = WeighSource(topic, partition, PARTITIONS, load_model(), horizon=1 << 18)
        weighed = source.apply(records, len(records) - 1)
        kind = topic.value.removeprefix("interactions.")
        accepted[kind] += source.totals["accepted"]
        totals.update(source.totals)
        for row in all_rows(weighed):
            target, undo = row[7], row[12]
            live[target, kind] += -1 if undo else 1

    assert dict(sorted(accepted.items())) == expected["accepted"]
    assert totals["duplicate"] == expected["duplicates"]
    assert totals["undone"] == expected["undone"]
    assert totals["unmatched"] == expected["unmatched"]
    assert totals["late"] == expected["late"]
    assert totals["self"] == 0
    assert totals["dead"] == sum(expected["dead"].values())
    by_kind: Counter[str] = Counter()
    by_account: Counter[str] = Counter()
    for (target, kind), number in live.items():
        by_kind[kind] += number
        by_account[target] += number
    assert dict(sorted(by_kind.items())) == expected["live"]
    assert sum(number > 0 for number in by_account.values()) == expected["accounts"]
    ranked = sorted(by_account.items(), key=lambda pair: (-pair[1], pair[0]))
    assert [list(pair) for pair in ranked[:10]] == expected["top"]
