"""What stands out of the everyday: posts that go round, campaigns, rings of fresh accounts.

They follow from the seed and the hour of event time alone, not from the rate nor from when the
stream began.
"""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

import numpy as np

from agents.world.draws import Draws
from agents.world.habits import (
    BURST_KINDS,
    CAMPAIGN_KINDS,
    HABITS,
    RING_KINDS,
    kinds_in,
)
from agents.world.people import People
from schemas.hashing import hash64
from schemas.kinds import Kind

_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000

BURSTS_AN_HOUR: Final = 7
CAMPAIGN_CHANCE: Final = 0.4
RING_CHANCE: Final = 0.5
"""That one begins in an hour."""

_RISE: Final = 0.15
"""Part of a burst's time in which it grows."""


class Sort(Enum):
    """What a happening is."""

    BURST = "burst"
    CAMPAIGN = "campaign"
    RING = "ring"


@dataclass(frozen=True, slots=True)
class Happening:
    """From ``begins`` to ``ends`` (ms), ``share`` of all events at its height belong to it.

    ``target``: the account that a burst or campaign is about; ``members``: the accounts of a ring.
    ``key`` is its own among all happenings of all worlds.
    """

    sort: Sort
    key: str
    network: int
    begins: int
    ends: int
    share: float
    target: int = 0
    members: tuple[str, ...] = ()

    def share_at(self, at: int) -> float:
        """Its part of what happens at ``at`` (ms), 0 to 1."""
        if not self.begins <= at < self.ends:
            return 0.0
        if self.sort is not Sort.BURST:
            return self.share
        age = (at - self.begins) / (self.ends - self.begins)
        return self.share * (age / _RISE if age < _RISE else (1 - age) / (1 - _RISE))

    @property
    def kinds(self) -> dict[Kind, int]:
        """What is done in it, relative numbers."""
        return kinds_of(self.sort, self.network)


def kinds_of(sort: Sort, network: int) -> dict[Kind, int]:
    """What is done in a happening on a network (its number in ``HABITS``), relative numbers."""
    wanted = {
        Sort.BURST: BURST_KINDS,
        Sort.CAMPAIGN: CAMPAIGN_KINDS,
        Sort.RING: RING_KINDS,
    }[sort]
    return kinds_in(HABITS[network], wanted)


class Happenings:
    """Those of one world; none lasts longer than an hour."""

    def __init__(self, seed: int, people: People) -> None:
        self._seed, self._people = seed, people
        self._within = lru_cache(maxsize=4)(self._made_up)

    def at(self, at: int) -> list[tuple[Happening, float]]:
        """Those under way at ``at`` (ms), each with its part of what happens then."""
        hour = at // _HOUR_MS
        found = [
            (one, one.share_at(at))
            for one in (*self._within(hour - 1), *self._within(hour))
            if one.begins <= at < one.ends
        ]
        return [(one, share) for one, share in found if share > 0]

    def _made_up(self, hour: int) -> tuple[Happening, ...]:
        """Those that begin in an hour (since 1970)."""
        draws = Draws(self._seed, 1, hour)
        made = [self._burst(draws, hour, n) for n in range(BURSTS_AN_HOUR)]
        if draws.one() < CAMPAIGN_CHANCE:
            made.append(self._campaign(draws, hour))
        if draws.one() < RING_CHANCE:
            made.append(self._ring(draws, hour))
        return tuple(made)

    def _burst(self, draws: Draws, hour: int, number: int) -> Happening:
        """Anybody's post may go round; of the famous more often."""
        network = draws.below(len(HABITS))
        begins, ends = self._times(draws, hour, draws.between(3, 12))
        return Happening(
            Sort.BURST,
            self._key(hour, number),
            network,
            begins,
            ends,
            draws.between(0.03, 0.18),
            self._anybody(draws, network, 0.6),
        )

    def _campaign(self, draws: Draws, hour: int) -> Happening:
        """A brand has itself mentioned for an hour."""
        network = draws.below(2)  # networks that have mentions and retweets
        begins, ends = self._times(draws, hour, 60)
        share = draws.between(0.02, 0.05)
        target = self._anybody(draws, network, 0.3)
        key = self._key(hour, BURSTS_AN_HOUR)
        return Happening(Sort.CAMPAIGN, key, network, begins, ends, share, target)

    def _ring(self, draws: Draws, hour: int) -> Happening:
        """Accounts nobody has seen before engage each other and nobody else."""
        network = draws.below(len(HABITS))
        begins, ends = self._times(draws, hour, draws.between(15, 30))
        share = draws.between(0.005, 0.015)
        key = self._key(hour, BURSTS_AN_HOUR + 1)
        size = 20 + draws.below(41)
        name = HABITS[network].network
        members = tuple(f"{name}:joined_{key}_{n}" for n in range(size))
        return Happening(Sort.RING, key, network, begins, ends, share, members=members)

    def _anybody(self, draws: Draws, network: int, how_famous: float) -> int:
        """An account; at ``how_famous`` of 0 all are equal, at 1 as they are met."""
        people = self._people
        if draws.one() < how_famous:
            return int(people.met(np.array([network]), np.array([draws.one()]))[0])
        first, end = int(people.first[network]), int(people.first[network + 1])
        return first + draws.below(end - first)

    def _times(self, draws: Draws, hour: int, minutes: float) -> tuple[int, int]:
        begins = hour * _HOUR_MS + draws.below(_HOUR_MS)
        return begins, begins + int(minutes * _MINUTE_MS)

    def _key(self, hour: int, number: int) -> str:
        text = f"{self._seed} {len(self._people.names)} {hour} {number}"
        return f"{hash64(text) & 0xFFFF_FFFF:08x}"
