"""Invented histories for rebuilds: interactions, posts, undos, repeats and late ones, cut in two.

What leaves no row cannot be rebuilt, so nothing in the second half hangs on it: an undo in the
first half that meets nothing is of something that never comes, and repeats say what was said
before.
"""

import random
from dataclasses import dataclass

from msgspec import structs

from schemas.interaction import Heartbeat, Interaction
from schemas.kinds import KINDS, Kind
from schemas.post import Post
from tests.support.interactions import HOUR, MINUTE, NOON, interaction
from tests.support.past_world import Message

ACTORS = [f"{network}:actor-{n}" for n in range(7) for network in ("twitter", "bluesky")]
TARGETS = [f"twitter:target-{n}" for n in range(6)]
NETWORKS = ("twitter", "twitter", "bluesky", "mastodon")
LONGEST = 2160 * HOUR


@dataclass
class _Thing:
    """An interaction that was delivered; ``newest``: time of its newest delivery or undo.

    ``refused``: it came again, not newer than its undo. That leaves no row, so it happens once.
    """

    first: Interaction
    newest: int
    counts: bool = True
    late: bool = False
    refused: bool = False


class Story:
    """Makes one message after the other."""

    def __init__(self, seed: int, *, repeats: bool = True, step: int = 40 * MINUTE) -> None:
        """``repeats``: whether things are delivered again, and undone though they never came."""
        self._random = random.Random(seed)
        self._repeats = repeats
        self._step = step
        self.clock = NOON
        self._things: list[_Thing] = []
        self._posts: list[Post] = []
        self._records_undone: dict[tuple[object, ...], int] = {}
        self._number = 0

    def messages(self, count: int) -> list[Message]:
        """The next ``count`` messages, some of them heartbeats."""
        return [self._next() for _ in range(count)]

    def beat(self) -> Heartbeat:
        """A heartbeat behind all that was told."""
        self.clock += HOUR
        return Heartbeat(clock=self.clock)

    def again(self) -> list[Interaction]:
        """Everything that was ever delivered, as at first."""
        return [thing.first for thing in self._things]

    def _next(self) -> Message:
        chance = self._random.random()
        self.clock += self._random.randrange(self._step)
        if chance < 0.10:
            return Heartbeat(clock=self.clock)
        if chance < 0.20:
            return self._post()
        if chance < 0.55 or not self._things:
            return self._new()
        thing = self._random.choice(self._things)
        if chance < 0.65:
            return thing.first if self._repeats else self._new()
        if chance < 0.70 and self._repeats:
            return self._stranger()
        if thing.late:
            return thing.first
        return self._undo(thing) if thing.counts else self._anew(thing)

    def _post(self) -> Post:
        """An own post, one that was delivered before, or that it was deleted."""
        chance = self._random.random()
        if self._posts and chance < 0.2:
            post = self._posts.pop(self._random.randrange(len(self._posts)))
            return structs.replace(post, at=self.clock + 5 * MINUTE, undo=True)
        if self._posts and chance < 0.3 and self._repeats:
            return self._random.choice(self._posts)
        self._number += 1
        author = self._random.choice([*TARGETS, ACTORS[0]])
        past = self._random.choice([0, 0, HOUR, 30 * HOUR, 900 * HOUR])
        at = self.clock - past
        post = Post(id=f"post {self._number}", at=at, network="twitter", author=author)
        self._posts.append(post)
        return post

    def _new(self) -> Interaction:
        self._number += 1
        late = self._random.random() < 0.06
        ahead = self._random.choice([0, 0, 0, 4 * MINUTE])
        past = self._random.choice([0, 0, HOUR, 30 * HOUR, 900 * HOUR])
        at = self.clock - LONGEST - 48 * HOUR if late else self.clock + ahead - past
        made = self._message(str(self._number), at=at, amount=self._random.choice([1, 1, 3]))
        if made.record is None or at > self._records_undone.get(_record(made), -1):
            self._things.append(_Thing(made, at, late=late))
        return made

    def _message(self, name: str, **fields: object) -> Interaction:
        number = int(name)
        given: dict[str, object] = {
            "id": name,
            "kind": KINDS[number % 3] if number % 4 else Kind.RETWEET,
            "network": NETWORKS[number % len(NETWORKS)],
            "actor": ACTORS[number * number % len(ACTORS)],
            "target": TARGETS[number * 7 % 11 % len(TARGETS)],
            "record": f"r{number % 5}" if number % 3 == 0 else None,
            "received_at": self.clock,
        }
        return interaction(**(given | fields))

    def _undo(self, thing: _Thing) -> Interaction:
        first = thing.first
        whole = first.record is not None and self._random.random() < 0.5
        at = max(self.clock, thing.newest)
        fields: dict[str, object] = {"undo": True, "at": at}
        if whole:
            fields |= {"id": "undo", "target": None}
        elif self._random.random() < 0.5:
            fields |= {"record": None}
        if whole:
            self._records_undone[_record(first)] = at
        for other in self._things:
            of_record = whole and _record(other.first) == _record(first)
            if other is thing or (of_record and other.newest <= at and not other.late):
                other.counts, other.newest, other.refused = False, max(at, other.newest), False
        named = {name: getattr(first, name) for name in ("id", "kind", "network", "actor", "target",
                                                         "record")}  # fmt: skip
        return interaction(**(named | {"received_at": self.clock + 77} | fields))

    def _anew(self, thing: _Thing) -> Interaction:
        """What was undone is done again, later than its undo or not later."""
        at = thing.newest
        if thing.refused or not self._repeats or self._random.random() < 0.6:
            at += MINUTE
            thing.counts, thing.newest = True, at
        else:
            thing.refused = True
        self.clock = max(self.clock, at)
        first = thing.first
        named = {name: getattr(first, name) for name in ("id", "kind", "network", "actor", "target",
                                                         "record", "amount")}  # fmt: skip
        return interaction(**(named | {"at": at, "received_at": self.clock}))

    def _stranger(self) -> Interaction:
        """An undo of what never comes, or somebody who praises himself."""
        self._number += 1
        if self._random.random() < 0.3:
            return interaction(
                id=f"self {self._number}", target="twitter:ada", at=self.clock,
                received_at=self.clock,
            )  # fmt: skip
        return interaction(
            id=f"never {self._number}", undo=True, actor=ACTORS[self._number % len(ACTORS)],
            at=self.clock, received_at=self.clock,
        )  # fmt: skip


def _record(made: Interaction) -> tuple[object, ...]:
    """A record is of one actor and one topic."""
    return made.actor, made.kind, made.record
