"""Classes of interactions from what is known of their actors, and actors by their hash."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import kernel, merged

Numbers = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

NOBODY: Final = -1
"""In place of the number of an actor: the record is none of an actor who gives."""
FRESH: Final = -1
"""In place of a class before selectivity: the actor is fresh, whatever it gave."""


class Known(NamedTuple):
    """What decides the classes of a fetch. ``actor``: int32 by place in the fetch, NOBODY: none.

    By actor: ``before``, int8, the class before selectivity, or FRESH; ``given``, int32,
    interactions given in closed days; ``today``, int32, those given in this topic today;
    ``changed``, uint8, set where ``today`` changes. ``steps``: numbers given from which on the
    class is one less each. ``weights``: by class, of an interaction of this kind with an amount
    of 1. Where every actor is ordinary, all of them are empty.
    """

    actor: Numbers
    before: npt.NDArray[np.int8]
    given: Numbers
    today: Numbers
    changed: npt.NDArray[np.uint8]
    steps: Longs
    weights: Longs


@merged
def class_now(known: Known, place: int) -> Any:
    """The class of the interaction at ``place``, which is counted as given."""
    actor = known.actor[place]
    before, given = np.int64(known.before[actor]), known.given[actor] + known.today[actor]
    known.today[actor] += 1
    known.changed[actor] = 1
    if before == FRESH:
        return np.int64(0)
    for step in known.steps:
        if given >= step:
            before -= 1
    return before


@kernel
def number_actors(
    slots: Numbers, hashes: Hashes, count: int, wanted: Hashes, gives: Any, numbers: Numbers
) -> int:
    """The number of each of ``wanted`` where ``gives``, else NOBODY; returns how many there are.

    ``slots``: a power of two of them, more than will be taken: an actor's number plus 1, or 0.
    ``hashes``: by number, ``count`` of them in use and room for all that may come.
    """
    mask = np.uint64(len(slots) - 1)
    for place in range(len(wanted)):
        if not gives[place]:
            numbers[place] = NOBODY
            continue
        slot = wanted[place] & mask
        while slots[slot] and hashes[slots[slot] - 1] != wanted[place]:
            slot = (slot + np.uint64(1)) & mask
        if not slots[slot]:
            hashes[count] = wanted[place]
            count += 1
            slots[slot] = count
        numbers[place] = slots[slot] - 1
    return count


@kernel
def index_actors(slots: Numbers, hashes: Hashes, count: int) -> None:
    """Fill the empty ``slots`` with the numbers of ``count`` distinct hashes."""
    mask = np.uint64(len(slots) - 1)
    for number in range(count):
        slot = hashes[number] & mask
        while slots[slot]:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = number + 1
