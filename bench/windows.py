"""The score state by itself: processor time a row and memory an account, for a few sorts of load.

    python -m bench.windows --accounts 100000 --engagers 20

Frames of 20,000 rows. ``zipf``, ``hot_3``, ``hot_60``: 20,000 accounts, targets by Zipf's law, or
3 % or 60 % on one. ``made``: the first row of each of many accounts; ``filled``: those after it.
Prints one JSON object: user and system time a row in microseconds, and bytes an account.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from resource import RUSAGE_SELF, getrusage
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.growth_core import mixed, names, resident
from schemas.kinds import KINDS, ROW_KINDS
from schemas.model import load_model
from streams.core.windows import Windows
from streams.kernels.score_arrays import Columns

_ROWS: Final = 20_000
_TARGETS: Final = 20_000
_ACTORS: Final = 300_000
_FRAMES, _WARM_FRAMES = 60, 40
_NOW: Final = 480_000
_SPAN_H: Final = 72
_STRIDE: Final = 7_368_787
_MODEL: Final = load_model()

Numbers = npt.NDArray[np.int64]


def _rows(targets: Numbers, actors: Numbers, hours: Numbers, classes: Numbers) -> Columns:
    texts, kinds = names(targets), np.arange(len(targets)) % len(KINDS)
    weights = np.array(_MODEL.kind_weights, np.int64)[kinds]
    return Columns(
        texts.data,
        texts.places,
        np.zeros(len(targets), np.uint8),
        mixed(actors),
        hours,
        classes.astype(np.uint8),
        kinds.astype(np.uint8),
        weights * np.array(_MODEL.class_weights, np.int64)[classes],
        np.zeros(len(targets), np.bool_),
    )


def _busy(hot: float | None) -> Iterator[Columns]:
    """Frames with ``hot`` of the rows on one target; by Zipf's law where it is not said."""
    dice = np.random.default_rng(1)
    shares = np.cumsum(1 / np.arange(1, _TARGETS + 1))
    for frame in range(_FRAMES):
        if hot is None:
            targets = np.searchsorted(shares, dice.random(_ROWS) * shares[-1])
        else:
            targets = dice.integers(1, _TARGETS, _ROWS)
            targets[dice.random(_ROWS) < hot] = 0
        hours = _NOW - _SPAN_H + _SPAN_H * frame // _FRAMES - dice.integers(0, 2, _ROWS)
        actors = dice.zipf(1.3, _ROWS) % _ACTORS
        yield _rows(targets, actors, hours, dice.integers(0, len(_MODEL.class_weights), _ROWS))


def _growing(accounts: int, engagers: int) -> Iterator[Columns]:
    total = accounts * engagers
    for start in range(0, total, _ROWS):
        rows = np.arange(start, min(start + _ROWS, total), dtype=np.int64)
        round_ = rows // accounts
        targets = (rows % accounts * _STRIDE + round_ * 101) % accounts
        actors = (targets * 31 + round_ * 1_000_003) % 1_000_000_000
        hours = _NOW - _SPAN_H + rows * _SPAN_H // total
        yield _rows(targets, actors, hours, np.full(len(rows), 3))


def _new() -> Windows:
    windows = Windows(_MODEL.horizons_h, len(_MODEL.class_weights), len(ROW_KINDS), exact=False)
    windows.advance(_NOW)
    return windows


def _spent(windows: Windows, frames: Sequence[Columns]) -> dict[str, float]:
    """Microseconds a row."""
    user = system = 0.0
    for frame in frames:
        before = getrusage(RUSAGE_SELF)
        windows.apply(frame)
        after = getrusage(RUSAGE_SELF)
        user += after.ru_utime - before.ru_utime
        system += after.ru_stime - before.ru_stime
    rows = sum(len(frame.hours) for frame in frames)
    return {"user": round(1e6 * user / rows, 3), "system": round(1e6 * system / rows, 3)}


def measure(accounts: int, engagers: int) -> dict[str, Any]:
    """All loads, after one that compiles everything."""
    _spent(_new(), list(_busy(None))[:2])
    result: dict[str, Any] = {}
    for name, hot in (("zipf", None), ("hot_3", 0.03), ("hot_60", 0.6)):
        windows, frames = _new(), list(_busy(hot))
        _spent(windows, frames[:_WARM_FRAMES])
        result[name] = _spent(windows, frames[_WARM_FRAMES:])
    windows, frames = _new(), list(_growing(accounts, engagers))
    first = len(frames) // engagers
    before = resident()
    result["made"] = _spent(windows, frames[:first])
    result["filled"] = _spent(windows, frames[first:])
    result["bytes_per_account"] = round((resident() - before) / accounts)
    return result


def main() -> None:
    """Measure, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--engagers", type=int, default=20)
    options = parser.parse_args()
    print(json.dumps(measure(options.accounts, options.engagers)))


if __name__ == "__main__":
    main()
