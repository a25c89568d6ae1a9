"""Who lives in the world: accounts by network and home, how active and how famous each is."""

from itertools import pairwise
from typing import Final

import numpy as np

from agents.world.draws import Draws, Floats, Ints, cumulated
from agents.world.habits import HABITS, ZONES, awake

FEWEST: Final = 200
MOST: Final = 1_000_000
"""Accounts a world may have."""

_FIRST: Final = (
    *("amber", "brisk", "calm", "dusty", "early", "faint", "gentle", "hazel", "idle", "jolly"),
    *("keen", "lunar", "mellow", "noble", "olive", "plain", "quiet", "rusty", "silver", "tidy"),
    *("umber", "vivid", "windy", "young", "zesty", "crisp", "frosty", "humble", "ivory"),
)
_SECOND: Final = (
    *("acorn", "brook", "comet", "delta", "echo", "fern", "glacier", "hollow", "island", "jigsaw"),
    *("kite", "ladder", "marble", "needle", "opal", "prism", "quarry", "ripple", "saddle"),
    *("tunnel", "upland", "valley", "whistle", "yonder", "zephyr", "basket", "canyon", "drizzle"),
    *("engine", "fossil", "goblet"),
)
_PAIRS: Final = len(_FIRST) * len(_SECOND)  # 29 x 31
_STRIDE: Final = 367  # a prime, and no divisor of the number of pairs: it meets each of them

FAME_EXPONENT: Final = 1.0
"""The account of rank r is chosen r^-1 as often as the first."""

_ACTIVITY_EXPONENT: Final = 0.6


class People:
    """The accounts, numbered from 0; those of one network lie together, in it those of one zone.

    Attributes:
        names: of each account, ``network:handle``.
        network: of each account, its number in ``HABITS``.
        first: where the accounts of each network begin; int64[networks + 1].
        activity: line of the accounts by how much they do; float64[accounts + 1].
        fame: line of the ranks by how often their holders are met; float64[accounts + 1].
        by_rank: the account of each rank, the networks one after the other.
    """

    def __init__(self, seed: int, accounts: int) -> None:
        draws = Draws(seed, 0)
        self.first = _edges(accounts, np.array([habits.share for habits in HABITS], np.float64))
        self._groups = np.zeros(len(HABITS) * len(ZONES) + 1, np.int64)
        self.names: list[str] = []
        self.network = np.repeat(np.arange(len(HABITS)), np.diff(self.first))
        self.by_rank = np.empty(accounts, np.int64)
        activity, fame = np.empty(accounts), np.empty(accounts)
        for number, habits in enumerate(HABITS):
            begin, end = int(self.first[number]), int(self.first[number + 1])
            size = end - begin
            self.names += [f"{habits.network}:{handle(n)}" for n in range(size)]
            order = np.argsort(draws.uniform(size), kind="stable")
            self.by_rank[begin:end] = begin + order
            fame[begin:end] = np.arange(1, size + 1) ** -FAME_EXPONENT
            homes = _edges(size, np.array(habits.homes, np.float64))
            place = number * len(ZONES)
            self._groups[place : place + len(ZONES) + 1] = begin + homes
            for least, most in pairwise(homes.tolist()):
                ranks = np.arange(1, most - least + 1)
                activity[begin + least : begin + most] = ranks**-_ACTIVITY_EXPONENT
        self.activity = cumulated(activity)
        self.fame = cumulated(fame)
        self._minute = -1
        self._awake = np.zeros(1)

    def awake_at(self, at: int) -> Floats:
        """Line of the groups (network and zone) by how much they do at ``at`` (ms since 1970)."""
        minute = at // 60_000
        if minute != self._minute:
            self._minute = minute
            self._awake = cumulated(
                np.array(
                    [
                        habits.share * home * awake(zone, habits.peak, minute)
                        for habits in HABITS
                        for zone, home in zip(ZONES, habits.homes, strict=True)
                    ]
                )
                * (np.diff(self._groups) > 0)
            )
        return self._awake

    def within(self, groups: Ints, points: Floats) -> Ints:
        """An account of each group: by activity, for points from 0 to 1."""
        first, end = self._groups[groups], self._groups[groups + 1]
        line = self.activity[first] + points * (self.activity[end] - self.activity[first])
        found = np.searchsorted(self.activity, line, side="right") - 1
        return _held(found, first, end)

    def met(self, networks: Ints, points: Floats) -> Ints:
        """An account of each network (numbers): by fame, for points from 0 to 1."""
        first, end = self.first[networks], self.first[networks + 1]
        line = self.fame[first] + points * (self.fame[end] - self.fame[first])
        ranks = np.searchsorted(self.fame, line, side="right") - 1
        found: Ints = self.by_rank[_held(ranks, first, end)]
        return found

    def zone_of(self, account: int) -> int:
        """Home of an account, in minutes east of UTC."""
        group = int(np.searchsorted(self._groups, account, side="right")) - 1
        return ZONES[group % len(ZONES)]


def handle(number: int) -> str:
    """The handle of the account with this number (from 0) on its network."""
    again, place = divmod(number, _PAIRS)
    first, second = divmod(place * _STRIDE % _PAIRS, len(_SECOND))
    return f"{_FIRST[first]}_{_SECOND[second]}{again or ''}"


def _edges(total: int, weights: Floats) -> Ints:
    """Where parts of whole things begin and end, in proportion; int64[parts + 1]."""
    edges: Ints = np.round(cumulated(weights) / weights.sum() * total).astype(np.int64)
    return edges


def _held(numbers: Ints, first: Ints, end: Ints) -> Ints:
    """Each number, moved to where it is at least ``first`` and less than ``end``."""
    held: Ints = np.minimum(np.maximum(numbers, first), end - 1)
    return held
