"""What the newest checkpoints hold, kind by kind, against what the judge says.

Checkpoints are read by the engine's own code, for it is the engine that is judged.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from schemas.kinds import ROW_KINDS
from schemas.networks import NETWORKS
from streams.core.windows import Windows
from streams.engine.changelog import ChangelogError, recover
from streams.engine.checkpoint_files import CheckpointFiles
from streams.engine.snapshots import unpack
from tests.crash.formula import CLASS_WEIGHTS, HORIZONS_H, KIND_WEIGHTS, ORDINARY
from tests.crash.judge import (
    HOUR_MS,
    POST,
    Row,
    Verdict,
    partition_of,
    sampled,
    standing_by_network,
)
from tests.support.cells import cells_of, new_windows, sums_by_kind
from tests.support.stack import read_topic

CHANGELOG: Final = "renown-score-changelog"

Cell = tuple[str, str]
"""Account, network."""


class Content(NamedTuple):
    """A cell by horizon: kind → weight and number of interactions; engagers by best class.

    Kinds with nothing are left out. The number at class ``c`` is of those with that or a better.
    """

    kinds: list[dict[str, tuple[int, int]]]
    engagers: list[list[int]]


def compare_kinds(
    kafka: str, files: Path | None, verdict: Verdict, partitions: int, wanted: dict[int, int]
) -> list[str]:
    """What differs in the checkpoints; ``files``: folder where they are kept, if not in the log.

    ``wanted``: partition → offset after the last frame, which its newest checkpoint must include.
    """
    records: dict[int, dict[int, bytes]] = defaultdict(dict)
    for record in read_topic(kafka, CHANGELOG):
        records[record.partition][record.offset] = record.value
    rows: dict[int, dict[str, list[Row]]] = defaultdict(dict)
    for account, theirs in verdict.by_target().items():
        rows[partition_of(account, partitions)][account] = theirs
    found: list[str] = []
    for partition in range(partitions):
        try:
            windows, next_offset = _newest(records[partition], files)
        except ChangelogError as error:
            return [f"{CHANGELOG} {partition}: {error}"]
        if next_offset != wanted.get(partition, 0):
            found.append(f"the checkpoint of {partition} is at {next_offset} of {wanted}")
        else:
            found += in_windows(windows, rows[partition])
    return found


def _newest(records: dict[int, bytes], files: Path | None) -> tuple[Windows, int]:
    """The windows of the newest checkpoint, and its next offset of ``weighed``."""
    windows, kept = new_windows(), CheckpointFiles(files, CHANGELOG)
    checkpoints = recover(records).checkpoints
    if not checkpoints:
        return windows, 0
    states = [unpack(kept.get(each.body), each.version).state for each in checkpoints]
    windows.load([state["windows"] for state in states])
    return windows, states[-1]["position"] + 1


def in_windows(windows: Windows, rows: dict[str, list[Row]]) -> list[str]:
    """What differs between the windows of a partition and rows by account."""
    cells = windows.cells
    held: dict[Cell, Content] = {}
    levels: dict[str, int] = {}
    for (account, number), cell in cells_of(windows):
        by_kind = [
            {
                kind: (sums[0], sums[1])
                for kind, sums in zip(ROW_KINDS, each, strict=True)
                if any(sums)
            }
            for each in sums_by_kind(windows, cell)
        ]
        held[account, NETWORKS[number]] = Content(by_kind, windows.counts(cell)[:, 1:].tolist())
        levels[account] = int(cells.level[windows.arrays.cell_rows[cell]["account"]])
    mine: dict[Cell, Content] = {}
    for account, theirs in rows.items():
        for network, counted in standing_by_network(theirs, windows.now).items():
            mine[account, network] = _content(counted, windows.now, levels.get(account, 0))
    nothing = _content([], windows.now, 0)
    return [
        f"checkpoint, {cell}: {held.get(cell, nothing)} instead of {mine.get(cell, nothing)}"
        for cell in sorted(held.keys() | mine.keys())
        if held.get(cell, nothing) != mine.get(cell, nothing)
    ]


def _content(rows: Iterable[tuple[Row, int]], now: int, level: int) -> Content:
    kinds, engagers = [], []
    for hours in HORIZONS_H:
        counted = [(row, n) for row, n in rows if row.at // HOUR_MS >= now - hours]
        sums = {
            kind: (
                sum(n * row.weight for row, n in counted if row.kind == kind),
                sum(n for row, n in counted if row.kind == kind),
            )
            for kind in (*KIND_WEIGHTS, POST)
        }
        kinds.append({kind: each for kind, each in sums.items() if any(each)})
        number = sampled((row.actor for row, _ in counted if row.kind != POST), level)
        engagers.append([number if c <= ORDINARY else 0 for c in range(len(CLASS_WEIGHTS))])
    return Content(kinds, engagers)
