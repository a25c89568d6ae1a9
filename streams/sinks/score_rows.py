"""Score updates → columns of ``scores``, a whole fetch at a time. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from schemas.interaction import LATEST_AT, LONGEST_TEXT
from schemas.score import ScoreUpdate
from schemas.texts import TextColumn
from streams.core.records import RecordColumns
from streams.kernels import read_updates as at
from streams.kernels.gather import gather
from streams.kernels.json_text import SLACK
from streams.sinks.tables import HORIZON_NAMES, SCORES, dtype_of
from streams.sinks.text_arrays import NameArray, TextArray

Array = npt.NDArray[Any]
Longs = npt.NDArray[np.int64]

_CAUSES: Final = ("interaction", "time", "end")
_COLUMNS: Final = (
    "score", "bits", "momentum", "influence",
    *(f"weight_{horizon}" for horizon in HORIZON_NAMES),
    *(f"interactions_{horizon}" for horizon in HORIZON_NAMES),
    *(f"engagers_{horizon}" for horizon in HORIZON_NAMES),
    "level", "change", "model", "clock", "weighed_partition", "weighed_offset", "epoch",
    "sequence",
)  # fmt: skip
"""The columns of the numbers of an update, in their order."""
_LEAST_INT64, _GREATEST_INT64 = -(1 << 63), (1 << 63) - 1


def _bounds() -> at.Bounds:
    """Of what the schema of updates allows and the columns of ``scores`` can hold."""
    least = np.full(at.NUMBERS, _LEAST_INT64, np.int64)
    greatest = np.full(at.NUMBERS, _GREATEST_INT64, np.int64)
    for number, lowest, highest in (
        (at.SCORE, 1000, 100_000),
        (at.BITS, 0, _GREATEST_INT64),
        (at.MOMENTUM, 0, 100),
        (at.INFLUENCE, 0, _GREATEST_INT64),
        (at.LEVEL, 0, 64),
        (at.CHANGE, -(1 << 31), (1 << 31) - 1),
        (at.MODEL, 1, (1 << 16) - 1),
        (at.CLOCK, 0, LATEST_AT),
        (at.PARTITION, 0, (1 << 32) - 1),
    ):
        least[number], greatest[number] = lowest, highest
    return at.Bounds(least, greatest, LONGEST_TEXT)


_BOUNDS: Final = _bounds()


@dataclass(frozen=True, slots=True, eq=False)
class ScoreRows:
    """Updates of one partition of ``scores``.

    ``numbers``: int64[NUMBERS, updates]; ``causes``: uint8[updates], index in the three causes;
    ``offsets``: int64[updates], where they lie.
    """

    numbers: Longs
    causes: npt.NDArray[np.uint8]
    profiles: TextColumn
    partition: int
    offsets: Longs

    def __len__(self) -> int:
        """Number of updates."""
        return len(self.offsets)


def read_scores(
    records: RecordColumns, wanted: Longs, partition: int
) -> tuple[ScoreRows, list[tuple[int, ValueError]]]:
    """Decode the ``wanted`` records; those that are no update that can be stored, with the error.

    What is not plain is left to msgspec.
    """
    data = records.roomy(SLACK)
    places, sizes = records.values[wanted], records.value_sizes[wanted]
    read = at.Read.of(len(wanted))
    bad: list[tuple[int, ValueError]] = []
    if at.read_updates(data, places, sizes, _BOUNDS, read):
        more, end = [data], len(data)
        for row in np.flatnonzero(read.sizes < 0).tolist():
            try:
                update = read_score(records.value(int(wanted[row])) or b"")
            except ValueError as error:
                bad.append((int(wanted[row]), error))
                continue
            name = np.frombuffer(update.profile.encode(), np.uint8)
            read.numbers[:, row] = _numbers(update)
            read.causes[row] = _CAUSES.index(update.cause)
            read.profiles[row], read.sizes[row] = end, len(name)
            more.append(name)
            end += len(name)
        data = np.concatenate(more)
        data.setflags(write=False)  # as the kernels are compiled for
    offsets = records.offsets[wanted]
    if bad:
        good = read.sizes >= 0
        offsets = offsets[good]
        read = at.Read(
            read.numbers[:, good], read.causes[good], read.profiles[good], read.sizes[good]
        )
    profiles = TextColumn(*gather(data, read.profiles, read.sizes))
    return ScoreRows(read.numbers, read.causes, profiles, partition, offsets), bad


_decode = msgspec.json.Decoder(ScoreUpdate).decode


def read_score(data: bytes) -> ScoreUpdate:
    """Decode a score update; raises ``ValueError`` if its values cannot be stored."""
    try:
        update = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a score update: {error}") from error
    sums = update.weights, update.interactions, update.engagers
    if any(len(numbers) != len(HORIZON_NAMES) for numbers in sums):
        raise ValueError(f"sums of {[len(numbers) for numbers in sums]} horizons, not 5 each")
    for place, number in enumerate(_numbers(update)):
        if not _BOUNDS.least[place] <= number <= _BOUNDS.greatest[place]:
            raise ValueError(f"{_COLUMNS[place]} {number} is out of range")
    return update


def _numbers(update: ScoreUpdate) -> tuple[int, ...]:
    """The numbers of an update in their order."""
    return (
        update.score, update.bits, update.momentum, update.influence, *update.weights,
        *update.interactions, *update.engagers, update.level, update.change, update.model,
        update.clock, update.partition, update.position, update.epoch, update.sequence,
    )  # fmt: skip


def score_columns(parts: Sequence[ScoreRows], log: int) -> dict[str, Array]:
    """Columns of ``scores``, the updates of one part after those of the other."""
    numbers = np.concatenate([part.numbers for part in parts], axis=1)
    lengths = [len(part) for part in parts]
    partitions = np.array([part.partition for part in parts], dtype_of(SCORES, "topic_partition"))
    return {
        "log": np.full(sum(lengths), log, np.uint64),
        "profile": TextArray.of(TextColumn.joined([part.profiles for part in parts])),
        "cause": NameArray.of(np.concatenate([part.causes for part in parts]), _CAUSES),
        **{
            name: values.astype(dtype_of(SCORES, name), copy=False)
            for name, values in zip(_COLUMNS, numbers, strict=True)
        },
        "topic_partition": np.repeat(partitions, lengths),
        "topic_offset": np.concatenate([part.offsets for part in parts]),
    }
