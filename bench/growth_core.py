"""One state of the score side grown to so many accounts, in a process of its own.

    python -m bench.growth_core --accounts 1000000 --engagers 20

Rows come in frames as large as weigh makes them, each account hears from ``--engagers`` others, and
snapshots are taken on the way. Prints one JSON object: rows a second, memory an account, bytes and
seconds of snapshots, and how long the state takes to come back from them.
"""

import argparse
import ctypes
import gc
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.common import PARTITIONS, say
from bench.load import BEGIN
from schemas.frames import Frame, FrameHeader
from schemas.model import load_model
from schemas.texts import TextColumn
from schemas.topics import Topic
from streams.core.score import ScorePartition
from streams.engine.changelog import FORMAT_VERSION
from streams.engine.snapshots import pack, unpack

FRAME_ROWS: Final = 8_000
_SNAPSHOT_ROWS: Final = 500_000
_SNAPSHOTS: Final = 12
_FRAMES_A_TICK: Final = 20
_SPAN_MS: Final = 3 * 86_400_000
_DIGITS: Final = 9
_STRIDE: Final = 7_368_787
"""A prime, so that accounts come in an order that memory does not know."""

Numbers = npt.NDArray[np.int64]


def names(numbers: Numbers) -> TextColumn:
    """``twitter:000000042`` and so on."""
    head = np.frombuffer(b"twitter:", np.uint8)
    width = len(head) + _DIGITS
    text = np.empty((len(numbers), width), np.uint8)
    text[:, : len(head)] = head
    left = numbers.copy()
    for place in range(width - 1, len(head) - 1, -1):
        text[:, place] = left % 10 + ord("0")
        left //= 10
    return TextColumn(text.reshape(-1), np.arange(len(numbers) + 1, dtype=np.int32) * width)


def frames(accounts: int, engagers: int) -> Iterator[Frame]:
    """All rows, in frames of one source; each account once a round, in another order each time."""
    total = accounts * engagers
    model = load_model()
    for start in range(0, total, FRAME_ROWS):
        rows = np.arange(start, min(start + FRAME_ROWS, total), dtype=np.int64)
        round_ = rows // accounts
        account = (rows % accounts * _STRIDE + round_ * 101) % accounts
        actor = (account * 31 + round_ * 1_000_003) % 1_000_000_000
        at = BEGIN + rows * _SPAN_MS // total
        kinds = (rows % 5).astype(np.uint8)
        classes = np.full(len(rows), 3, np.uint8)
        weights = np.array(model.kind_weights, np.int64)[kinds] * model.class_weights[3]
        nothing = np.zeros(len(rows), np.int64)
        yield Frame(
            FrameHeader(
                topic=Topic.LIKE,
                partition=0,
                first=start,
                last=int(rows[-1]),
                clock=int(at[-1]),
                model=model.version,
            ),
            {
                "offset": rows,
                "part": nothing.astype(np.uint16),
                "at": at,
                "received_at": at,
                "kind": kinds,
                "network": nothing.astype(np.uint8),
                "actor": names(actor),
                "target": names(account),
                "object": names(actor),
                "class": classes,
                "weight": weights,
                "amount": np.ones(len(rows), np.uint32),
                "undo": nothing.astype(np.bool_),
                "engager": mixed(actor),
                "id": mixed(rows),
                "record": nothing.astype(np.uint64),
                "undone_at": nothing,
                "whole_record": nothing.astype(np.bool_),
            },
        )


def mixed(numbers: Numbers) -> npt.NDArray[np.uint64]:
    """A hash of each number, never 0."""
    x = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return (x ^ x >> np.uint64(31)) | np.uint64(1)


def resident() -> int:
    """Resident bytes of this process, without what was freed."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Kept:
    """Snapshots on disk, as many as a restore needs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sizes: list[int] = []
        self.seconds: list[float] = []
        self._oldest = 0

    def take(self, state: ScorePartition) -> None:
        """The next snapshot."""
        number, began = len(self.sizes), time.process_time()
        body = pack(state.snapshot(number), state.positions(), PARTITIONS)
        self.seconds.append(time.process_time() - began)
        self.sizes.append(len(body))
        (self._folder / str(number)).write_bytes(body)
        self._oldest = state.oldest_needed()

    def restored(self) -> tuple[ScorePartition, int]:
        """The state again, and the bytes that it took."""
        numbers = range(self._oldest, len(self.sizes))
        bodies = [(self._folder / str(number)).read_bytes() for number in numbers]
        held = [unpack(body, FORMAT_VERSION).state for body in bodies]
        return ScorePartition.restore(held, load_model(), once=False), sum(map(len, bodies))


def grow(accounts: int, engagers: int, folder: Path) -> dict[str, Any]:
    """Grow a state and take its measure."""
    _warm_up()
    total = accounts * engagers
    every = max(_SNAPSHOT_ROWS, total // _SNAPSHOTS)
    state, kept = ScorePartition(0, load_model(), once=False), Kept(folder)
    empty = resident()
    filling, steady = Spent(), Spent()
    emitting = Spent()
    updates, done, now = 0, 0, 0.0
    for number, frame in enumerate(frames(accounts, engagers)):
        rows = len(frame)
        spent = steady if done >= total - accounts else filling
        spent.run(rows, lambda: state.apply(frame, number, now))  # noqa: B023
        done += rows
        if number % _FRAMES_A_TICK == 0:
            now += 0.1
            updates += emitting.run(rows, lambda: len(state.updates(now)))  # noqa: B023
        if done // every > (done - rows) // every:
            kept.take(state)
            say(f"{state.accounts:,} accounts, {done:,} of {total:,} rows")
    kept.take(state)
    bytes_ = resident() - empty
    began = time.monotonic()
    again, needed = kept.restored()
    seconds = time.monotonic() - began
    if again.accounts != state.accounts:
        raise RuntimeError(f"{again.accounts} accounts came back, {state.accounts} were there")
    return {
        "accounts": state.accounts,
        "engagers": engagers,
        "rows": total,
        "new_rows_per_second": filling.rate(),
        "rows_per_second": steady.rate(),
        "emission_us_per_row": round(1e6 * emitting.seconds / total, 3),
        "updates": updates,
        "bytes_per_account": round(bytes_ / state.accounts),
        "snapshot_bytes_per_row": round(sum(kept.sizes) / total, 1),
        "snapshot_seconds_max": round(max(kept.seconds), 3),
        "snapshot_us_per_row": round(1e6 * sum(kept.seconds) / total, 3),
        "restore_seconds": round(seconds, 2),
        "restore_mb": round(needed / 1e6, 1),
    }


class Spent:
    """Processor seconds of a kind of work, and how many rows it was for."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.rows = 0

    def run(self, rows: int, work: Callable[[], Any]) -> Any:
        """Do it, and count."""
        began = time.process_time()
        result = work()
        self.seconds += time.process_time() - began
        self.rows += rows
        return result

    def rate(self) -> int:
        """Rows a second."""
        return round(self.rows / self.seconds) if self.seconds else 0


def _warm_up() -> None:
    """Let everything be compiled before anything is timed."""
    state = ScorePartition(0, load_model(), once=False)
    for number, frame in enumerate(frames(100, 3)):
        state.apply(frame, number, 0.0)
    len(state.updates(1.0))
    snapshot = unpack(pack(state.snapshot(0), state.positions(), PARTITIONS), FORMAT_VERSION).state
    ScorePartition.restore([snapshot], load_model(), once=False)


def main() -> None:
    """Grow one, print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, required=True)
    parser.add_argument("--engagers", type=int, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(grow(options.accounts, options.engagers, Path(folder))))


if __name__ == "__main__":
    main()
