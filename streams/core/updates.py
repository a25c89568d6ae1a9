"""From the accounts that wait to the records of ``scores``, without an object per update."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

import msgspec
import numpy as np

from schemas.model import Model
from schemas.score import ScoreUpdate
from streams.core.arrays import Ints
from streams.core.emission import CAUSES, Decision
from streams.kernels.cells import Cells
from streams.kernels.standing import Formula, Standings, stand
from streams.kernels.updates import (
    LARGEST_UPDATE,
    UNUSUAL,
    Chosen,
    Common,
    write_updates,
)

_AT_ONCE: Final = 2048
"""Updates that are written in one go: their buffer stays in the processor's cache."""
_NETWORKS: Final = 256

_decode = msgspec.json.Decoder(ScoreUpdate).decode


@dataclass(frozen=True, slots=True)
class Updates(Sequence[ScoreUpdate]):
    """Score updates in ascending order of ``sequence``, as they travel.

    ``bodies``: JSON; ``keys``: the profiles in UTF-8; ``causes``: cause → how many.
    """

    bodies: list[bytes]
    keys: list[bytes]
    causes: dict[str, int]

    def __len__(self) -> int:
        """Number of updates."""
        return len(self.bodies)

    @overload
    def __getitem__(self, number: int) -> ScoreUpdate: ...

    @overload
    def __getitem__(self, number: slice) -> list[ScoreUpdate]: ...

    def __getitem__(self, number: int | slice) -> ScoreUpdate | list[ScoreUpdate]:
        """One update as a message, or a list of some."""
        if isinstance(number, slice):
            return [_decode(body) for body in self.bodies[number]]
        return _decode(self.bodies[number])


NO_UPDATES: Final = Updates([], [], {})


def formula_of(model: Model) -> Formula:
    """The parameters of ``model`` for the kernels."""
    return Formula(
        class_weights=model.class_array,
        logs=model.logs,
        horizons=_constant(model.horizons_h),
        mu=_constant(model.mu),
        **{
            name: getattr(model, name)
            for name in Formula._fields
            if name not in ("class_weights", "logs", "horizons", "mu")
        },
    )


def standings_of(accounts: Ints, cells: Cells, now: int, formula: Formula) -> Standings:
    """What an update of each of ``accounts`` would say in the hour ``now``."""
    count, horizons = len(accounts), len(formula.horizons)
    found = Standings(
        score=np.empty(count, np.int64),
        bits=np.empty(count, np.int64),
        influence=np.empty(count, np.int64),
        momentum=np.empty(count, np.int64),
        sums=np.empty((count, 3, horizons), np.int64),
        said=np.empty(count, np.uint64),
    )
    scratch = np.empty((_NETWORKS, horizons), np.int64)
    stand(accounts, cells, now, formula, scratch, found)
    return found


def write(
    accounts: Ints, decision: Decision, cells: Cells, found: Standings, common: Common
) -> Updates:
    """The updates that were decided on: ``accounts`` and ``found`` are of those asked about."""
    bodies: list[bytes] = []
    keys: list[bytes] = []
    for start in range(0, len(decision.places), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        rows = decision.places[part]
        chosen = Chosen(accounts[rows], rows, decision.change[part], decision.cause[part])
        at_part = common._replace(sequence=common.sequence + start)
        keys_of_part = list(_names(chosen.accounts, cells))
        bodies += _bodies(chosen, cells, found, at_part, keys_of_part)
        keys += keys_of_part
    counts = np.bincount(decision.cause, minlength=len(CAUSES)).tolist()
    return Updates(bodies, keys, dict(zip(CAUSES, counts, strict=True)))


def _bodies(
    chosen: Chosen, cells: Cells, found: Standings, common: Common, names: list[bytes]
) -> list[bytes]:
    count = len(names)
    room = LARGEST_UPDATE * count + int(cells.name_size[chosen.accounts].sum(dtype=np.int64))
    buffer, ends = np.empty(room, np.uint8), np.empty(count, np.int64)
    write_updates(chosen, cells, found, common, buffer, ends)
    written = buffer.data
    bodies, begin = [], 0
    for number, end in enumerate(ends.tolist()):
        if end == UNUSUAL:
            bodies.append(_plain(number, chosen, cells, found, common, names[number]))
        else:
            bodies.append(bytes(written[begin:end]))
            begin = end
    return bodies


def _plain(
    number: int, chosen: Chosen, cells: Cells, found: Standings, common: Common, name: bytes
) -> bytes:
    """One update the plain way."""
    row, account = int(chosen.rows[number]), int(chosen.accounts[number])
    weights, interactions, engagers = (tuple(sums) for sums in found.sums[row].tolist())
    update = ScoreUpdate(
        profile=name.decode(),
        score=int(found.score[row]),
        bits=int(found.bits[row]),
        momentum=int(found.momentum[row]),
        influence=int(found.influence[row]),
        weights=weights,
        interactions=interactions,
        engagers=engagers,
        level=int(cells.level[account]),
        change=int(chosen.change[number]),
        cause=CAUSES[int(chosen.cause[number])],
        **common._replace(sequence=common.sequence + number)._asdict(),
    )
    return msgspec.json.encode(update)


def _names(accounts: Ints, cells: Cells) -> Iterator[bytes]:
    names = cells.names.data
    places, sizes = cells.name_at[accounts].tolist(), cells.name_size[accounts].tolist()
    for place, size in zip(places, sizes, strict=True):
        yield bytes(names[place : place + size])


def _constant(values: Sequence[int]) -> Ints:
    array = np.array(values, np.int64)
    array.setflags(write=False)
    return array
