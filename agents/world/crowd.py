"""Who does what to whom at one moment, many at a time."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from agents.world.draws import Draws, Floats, Ints, chosen, cumulated
from agents.world.habits import HABITS, ZONES
from agents.world.happenings import Happening, Sort, kinds_of
from agents.world.people import People
from schemas.kinds import KINDS

_LEAST_EVERYDAY: Final = 0.2
_FRIENDS: Final = 6
_FRIEND_SHARE: Final = 0.25
"""So much goes to the few accounts that somebody always engages, famous or not."""

_COLUMNS: Final = 9
_SORTS: Final = tuple(Sort)
_BELOW_1: Final = 1 - 2.0**-40
_GOLDEN: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX: Final = np.uint64(0xBF58_476D_1CE4_E5B9)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Columns of equal length, plain lists.

    ``cause``: 0 for everyday, else the number of the happening from 1; ``actor``, ``target``:
    accounts; ``kind``: in KINDS; ``points``: three lists of numbers from 0 to 1 for whatever else
    is to be chosen.
    """

    cause: list[int]
    network: list[int]
    actor: list[int]
    target: list[int]
    kind: list[int]
    points: tuple[list[float], list[float], list[float]]


class Crowds:
    """Makes crowds of the people of one world."""

    def __init__(self, people: People, draws: Draws) -> None:
        self._people, self._draws = people, draws
        self._kinds = _kinds_line()

    def gather(self, at: int, count: int, happenings: list[tuple[Happening, float]]) -> Crowd:
        """``count`` deeds at ``at`` (ms); a happening takes part with its share."""
        people = self._people
        table = self._draws.table(_COLUMNS, count)
        shares = [share for _one, share in happenings]
        causes = cumulated(np.array([max(_LEAST_EVERYDAY, 1 - sum(shares)), *shares]))
        cause = chosen(causes, table[0] * causes[-1])

        awake = people.awake_at(at)
        places = np.array([one.network for one, _share in happenings], np.int64) * len(ZONES)
        begin = np.concatenate([[0.0], awake[places]])
        end = np.concatenate([awake[-1:], awake[places + len(ZONES)]])
        group = chosen(awake, begin[cause] + table[1] * (end - begin)[cause])
        network = group // len(ZONES)

        actor = people.within(group, table[2])
        target = people.met(network, table[3])
        friends = table[4] < _FRIEND_SHARE
        target = np.where(friends, self._friend(actor, network, table[3]), target)
        about = [-1 if one.sort is Sort.RING else one.target for one, _share in happenings]
        about_it = np.array([-1, *about])[cause]
        target = np.where(about_it >= 0, about_it, target)
        actor = np.where(actor == target, self._neighbour(actor, network), actor)

        row = _row_of(happenings)[cause] + network
        kind = chosen(self._kinds, row + table[5] * _BELOW_1) - row * len(KINDS)
        return Crowd(
            cause.tolist(),
            network.tolist(),
            actor.tolist(),
            target.tolist(),
            kind.tolist(),
            (table[6].tolist(), table[7].tolist(), table[8].tolist()),
        )

    def _friend(self, actor: Ints, network: Ints, points: Floats) -> Ints:
        """One of the accounts that each actor always engages; they follow from its number."""
        key = (actor * _FRIENDS + (points * _FRIENDS).astype(np.int64)).astype(np.uint64)
        mixed = (key + np.uint64(1)) * _GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX
        part = (mixed >> np.uint64(11)) * 2.0**-53
        first = self._people.first
        size = first[network + 1] - first[network]
        return first[network] + (part * size).astype(np.int64)

    def _neighbour(self, account: Ints, network: Ints) -> Ints:
        """The account after each, on the same network."""
        first, end = self._people.first[network], self._people.first[network + 1]
        return np.where(account + 1 < end, account + 1, first)


def _row_of(happenings: list[tuple[Happening, float]]) -> Ints:
    """Where in the line of kinds the networks of each cause begin."""
    sorts = [1 + _SORTS.index(one.sort) for one, _share in happenings]
    return np.array([0, *sorts]) * len(HABITS)


def _kinds_line() -> Floats:
    """One unit of the line for each cause and network, divided among the kinds."""
    rows = [habits.kinds for habits in HABITS]
    rows += [kinds_of(sort, number) for sort in _SORTS for number in range(len(HABITS))]
    line = [0.0]
    for number, kinds in enumerate(rows):
        total, reached = sum(kinds.values()), 0
        for kind in KINDS:
            reached += kinds.get(kind, 0)
            line.append(number + reached / total)
    return np.array(line)
