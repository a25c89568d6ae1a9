"""The world: slices of event time, filled with events in the order of their delivery."""

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace

from agents.demo_world.dirt import SPOILED
from agents.world.aftermath import Aftermath, undo_of
from agents.world.crowd import Crowd, Crowds
from agents.world.draws import Draws
from agents.world.habits import HABITS, TOPICS
from agents.world.happenings import Happening, Happenings, Sort
from agents.world.ledger import DEAD, LATE, POST, UNDONE, UNMATCHED, Event, Ledger
from agents.world.people import FEWEST, MOST, People
from config.errors import WrongUse
from schemas.hashing import hash64
from schemas.interaction import Interaction
from schemas.kinds import KINDS, Kind
from schemas.post import Post

EARLIEST_START: Final = 1_136_073_600_000
"""2006-01-01 UTC in ms: what comes too late must still lie after 2004."""

LARGEST_DIRT: Final = 0.5
ACCOUNTS: Final = 20_000
DIRT: Final = 0.001

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_TOO_LATE_DAYS: Final = (92, 500)
_WITH_OBJECT: Final = (Kind.LIKE, Kind.COMMENT, Kind.RETWEET)
_WRONG: Final = tuple(accumulate(number for _name, number, _spoil in SPOILED))

_FATES: Final = {
    "post": 0.03,
    "late": 0.005,
    "too late": 0.000_5,
    "again": 0.01,
    "taken back": 0.02,
    "redone": 0.001,
    "overtaken": 0.000_5,
}
"""Shares of the events with another fate than to happen once and count; dirt is one more."""

_PLAIN: Final = 0
_POST, _LATE, _TOO_LATE, _AGAIN, _TAKEN_BACK, _REDONE, _OVERTAKEN, _DIRT = range(1, 9)


@dataclass(frozen=True, slots=True)
class WorldOptions:
    """What a world follows from.

    ``rate``: events a second of event time; ``start``: event time at which it begins, ms UTC;
    ``dirt``: share of records that are no interactions.
    """

    seed: int
    start: int
    rate: float
    accounts: int = ACCOUNTS
    dirt: float = DIRT

    def __post_init__(self) -> None:
        """Raise ``WrongUse`` where there is no such world."""
        if self.seed < 0:
            raise WrongUse(f"a seed of {self.seed} is none: give a whole number from 0")
        if not FEWEST <= self.accounts <= MOST:
            raise WrongUse(
                f"a world of {self.accounts} accounts cannot be: give {FEWEST} to {MOST:,}"
            )
        if not 0 <= self.dirt <= LARGEST_DIRT:
            raise WrongUse(f"a share of dirt of {self.dirt:g} cannot be: give 0 to {LARGEST_DIRT}")
        if self.start < EARLIEST_START:
            raise WrongUse("the world begins too early: give a start from 2006 on")


class World:
    """Makes events; ``ledger`` is told of each by whoever hands it out.

    ``run`` names this stream: it is part of every id, and differs as soon as seed, start, rate,
    accounts or dirt do. So a stream that begins at another time never repeats an id, and one that
    begins alike is the same stream: what it publishes counts once.
    """

    def __init__(self, options: WorldOptions, people: People | None = None) -> None:
        """``people``: those of the same seed and number of accounts, where they exist already."""
        self.options = options
        self.ledger = Ledger()
        self.people = people or People(options.seed, options.accounts)
        facts = (options.seed, options.accounts, options.rate, options.start, options.dirt)
        self.run = f"{hash64(' '.join(map(repr, facts))):016x}"[:12]
        self._happenings = Happenings(options.seed, self.people)
        self._crowds = Crowds(self.people, Draws(options.seed, 2, hash64(self.run)))
        self._aftermath = Aftermath(options.rate)
        self._random = random.Random(f"{options.seed} {self.run}")
        self._fates = np.array([*accumulate(_shares(options.dirt))])
        self._newest: dict[int, str] = {}
        self._posted: set[str] = set()
        self._number = 0

    def slice(self, begin: int, length: int, count: int) -> list[tuple[int, Event]]:
        """``count`` events and when each is delivered, spread evenly over ``length`` ms."""
        if not count:
            return []
        middle = begin + length // 2
        happenings = self._happenings.at(middle)
        crowd = self._crowds.gather(middle, count, happenings)
        fates = np.searchsorted(self._fates, crowd.points[0], side="right").tolist()
        under_way = [one for one, _share in happenings]
        self._posted &= {one.key for one in under_way}
        events = []
        for place in range(count):
            at = begin + (2 * place + 1) * length // (2 * count)
            event = self._aftermath.take(at)
            if event is None:
                cause = crowd.cause[place]
                about = under_way[cause - 1] if cause else None
                event = self._happen(at, crowd, place, fates[place], about)
            events.append((at, event))
        return events

    def news(self, at: int) -> list[str]:
        """What stands out at ``at`` (ms), for people."""
        names = self.people.names
        told = {
            Sort.BURST: "a post of {about} goes round",
            Sort.CAMPAIGN: "a campaign for {about}",
            Sort.RING: "a ring of {size} fresh accounts on {network}",
        }
        return [
            told[one.sort].format(
                about=names[one.target],
                size=len(one.members),
                network=HABITS[one.network].network,
            )
            for one, _share in self._happenings.at(at)
        ]

    def _happen(
        self, at: int, crowd: Crowd, place: int, fate: int, about: Happening | None
    ) -> Event:
        """What one of the crowd does at ``at``; what follows from it is planned."""
        self._number += 1
        if fate == _POST:
            return self._post(at, crowd, place)
        if about and about.sort is Sort.BURST and about.key not in self._posted:
            return self._post_of(at, about)
        made = self._interaction(at, crowd, place, about)
        if fate == _PLAIN:
            if made.record and made.kind in (Kind.MENTION, Kind.COMMENT):
                self._name_others(made, crowd, place)
            return Event(made)
        return self._fateful(at, made, crowd, place, fate)

    def _fateful(self, at: int, made: Interaction, crowd: Crowd, place: int, fate: int) -> Event:
        """The same where something is wrong with it, or will be."""
        aftermath, point = self._aftermath, crowd.points[1][place]
        due = aftermath.later(at, point)
        if fate == _DIRT:
            return self._dirty(made)
        if fate == _LATE:
            delay = _MINUTE_MS * (3 * _DAY_MS / _MINUTE_MS) ** point
            return Event(replace(made, at=at - int(delay)))
        if fate == _TOO_LATE:
            least, most = _TOO_LATE_DAYS
            return Event(replace(made, at=at - int(least + (most - least) * point) * _DAY_MS), LATE)
        if fate == _AGAIN:
            aftermath.again(made, due)
        elif fate == _OVERTAKEN:
            aftermath.plan(due, Event(replace(made, at=at - 1), UNDONE))
            return Event(undo_of(made, at), UNMATCHED)
        elif made.record:
            given = [made]
            if made.kind in (Kind.MENTION, Kind.COMMENT):
                given += self._name_others(made, crowd, place)
            aftermath.delete_record(given, due)
        elif fate == _REDONE:
            aftermath.take_back_and_redo(made, due, aftermath.later(due, point))
        else:
            aftermath.take_back(made, due)
        return Event(made)

    def _interaction(
        self, at: int, crowd: Crowd, place: int, about: Happening | None
    ) -> Interaction:
        habits = HABITS[crowd.network[place]]
        names, target_number = self.people.names, crowd.target[place]
        actor, target = names[crowd.actor[place]], names[target_number]
        kind, point = KINDS[crowd.kind[place]], crowd.points[2][place]
        if about and about.members:
            actor, target = _pair(about.members, point, crowd.points[1][place])
        on: str | None = None
        if kind in _WITH_OBJECT:
            if about and about.sort is Sort.BURST:
                on = f"post-{about.key}"
            elif not (about and about.members):
                on = self._newest.get(target_number) or f"{target}/pinned"
        identity = f"{self.run}-{self._number}"
        return Interaction(
            id=identity,
            kind=kind,
            network=habits.network,
            actor=actor,
            target=target,
            object=on,
            record=identity if habits.records else None,
            at=at,
            received_at=at,
            estimated=kind is Kind.LIKE and habits.network == "youtube",  # it tells no time
            amount=_amount(kind, point),
        )

    def _name_others(self, made: Interaction, crowd: Crowd, place: int) -> list[Interaction]:
        """A post may name one or two more; the same record gives them, just afterwards."""
        point, network = crowd.points[2][place], crowd.network[place]
        number = 2 if point < 0.1 else 1 if point < 0.3 else 0
        first, end = self.people.first[network : network + 2].tolist()
        given = []
        for n in range(1, number + 1):
            other = first + (crowd.target[place] - first + n) % (end - first)
            target = self.people.names[other]
            if target not in (made.actor, made.target):
                named = replace(made, id=f"{made.id}.{n}", kind=Kind.MENTION, target=target)
                given.append(named)
                self._aftermath.plan(made.at, Event(named))
        return given

    def _post(self, at: int, crowd: Crowd, place: int) -> Event:
        author, point = crowd.actor[place], crowd.points[2][place]
        post = Post(
            id=f"{self.run}-{self._number}",
            at=at,
            network=HABITS[crowd.network[place]].network,
            author=self.people.names[author],
            media=("photo",) if point < 0.3 else ("video",) if point < 0.4 else (),
            topics=(TOPICS[(author + int(point * 3)) % len(TOPICS)],),
        )
        self._newest[author] = post.id
        if point > 0.97:
            self._aftermath.delete_post(post, self._aftermath.later(at, crowd.points[1][place]))
        return Event(post, POST)

    def _post_of(self, at: int, burst: Happening) -> Event:
        """The post that goes round."""
        self._posted.add(burst.key)
        post = Post(
            id=f"post-{burst.key}",
            at=at,
            network=HABITS[burst.network].network,
            author=self.people.names[burst.target],
            media=("video",),
            topics=(TOPICS[burst.target % len(TOPICS)],),
        )
        return Event(post, POST)

    def _dirty(self, made: Interaction) -> Event:
        point = self._random.randrange(_WRONG[-1])
        number = next(n for n, edge in enumerate(_WRONG) if point < edge)
        name, _weight, spoil = SPOILED[number]
        return Event(spoil(msgspec.to_builtins(made), self._random), DEAD, wrong=name)


def _shares(dirt: float) -> list[float]:
    """Of the fates in the order of their numbers; those of the sound in proportion."""
    sound = [share * (1 - dirt) for share in _FATES.values()]
    return [1 - dirt - sum(sound), *sound]


def _pair(members: tuple[str, ...], one: float, other: float) -> tuple[str, str]:
    """Two different members, for points from 0 to 1."""
    actor = int(one * len(members))
    target = actor + 1 + int(other * (len(members) - 1))
    return members[actor], members[target % len(members)]


def _amount(kind: Kind, point: float) -> int:
    """How much it weighs: more than 1 now and then."""
    often = 0.3 if kind is Kind.RECOMMENDATION else 0.004
    return 2 + int(point / often * 4) if point < often else 1
