"""Scores of real interactions: the Higgs data set, every actor ordinary, in one partition."""

import gzip
from collections import defaultdict
from pathlib import Path

import pytest

from streams.core.score import Applied, ScorePartition
from tests.support.data import HIGGS, data_file
from tests.support.weighed import HOUR, MODEL, Row, frame

KIND = {"MT": 1, "RE": 2, "RT": 3}
START_H = 1_341_100_800 // 3600
BATCH = 2000


def by_source(path: Path) -> dict[int, list[Row]]:
    """Rows by kind: a mention that is the twin of a reply and self-interactions are left out."""
    with gzip.open(path, "rt") as lines:
        events = [line.split() for line in lines]
    replies = {(a, b, at) for a, b, at, kind in events if kind == "RE"}
    rows: dict[int, list[Row]] = defaultdict(list)
    for a, b, at, name in events:
        if a == b or (name == "MT" and (a, b, at) in replies):
            continue
        mine = rows[KIND[name]]
        row = Row(a, b, int(at) // 3600, KIND[name], source=KIND[name], offset=len(mine))
        mine.append(row)
    return rows


@pytest.mark.slow
def test_scores_of_the_higgs_data_set() -> None:
    path = data_file(HIGGS)
    rows = by_source(path)
    assert {kind: len(mine) for kind, mine in rows.items()} == {1: 127_761, 2: 36_395, 3: 354_930}
    state, offset, done = ScorePartition(0, MODEL, once=True), 0, dict.fromkeys(rows, 0)
    scores: dict[str, int] = {}
    for until, above_1, total in ((96, 42_194, 791_185_286), (120, 52_923, 750_378_675)):
        end = START_H + until
        parts = []
        for kind, mine in rows.items():
            stop = done[kind] + sum(row.hour < end for row in mine[done[kind] :])
            parts += [
                mine[first : min(first + BATCH, stop)] for first in range(done[kind], stop, BATCH)
            ]
            done[kind] = stop
        for part in sorted(parts, key=lambda part: part[-1].hour):
            assert state.apply(frame(part), offset, 0) is Applied.NEW
            offset += 1
        # a heartbeat that says how late it is travels within the last offset of each source
        for kind in rows:
            state.apply(
                frame([], source=kind, first=done[kind], last=done[kind] - 1, clock=end * HOUR),
                offset,
                0,
            )
            offset += 1
        assert state.clock == end * HOUR
        scores |= {u.profile: u.score for u in state.updates(0, everything=True)}
        above = [score for score in scores.values() if score > 1000]
        assert (len(above), sum(above)) == (above_1, total)
