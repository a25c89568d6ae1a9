"""What happens in the demo world. Lines come in the order of their receipt, events nearly so."""

import math
import random
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from agents.demo_world.dirt import dirty_lines
from agents.demo_world.ledger import Ledger
from agents.demo_world.people import HABITS, SHARES, STAR, make_people
from schemas.interaction import Interaction
from schemas.kinds import Kind

T = TypeVar("T")

START: Final = 1_741_564_800_000
"""2025-03-10 00:00 UTC in ms; a Monday."""

_DAY: Final = 86_400_000
_HOUR: Final = 3_600_000
_SECOND: Final = 1_000
_DAYS: Final = 3
_EVERYDAY: Final = 11_800
_BURST_AT: Final = START + 2 * _DAY + 18 * _HOUR
_BURST: Final = 1_800
_POSTS: Final = 420


class Story:
    """Makes up the lines; ``ledger`` counts what must become of them."""

    def __init__(self, seed: int) -> None:
        self.ledger = Ledger()
        self._rng = random.Random(seed)
        self._people = make_people(self._rng)
        self._lines: list[tuple[int, int, bytes]] = []
        self._standing: list[Interaction] = []
        self._number = 0
        self._everyday()
        self._burst()
        self._posts()
        self._mishaps()

    def lines(self) -> list[bytes]:
        """All lines, as they are received."""
        return [line for _, _, line in sorted(self._lines, key=lambda entry: entry[:2])]

    def _everyday(self) -> None:
        for moment in sorted(self._moment() for _ in range(_EVERYDAY)):
            network = self._one_of(SHARES)
            kind = self._one_of(HABITS[network])
            self._accept(self._made_up(network, kind, START + moment))

    def _burst(self) -> None:
        """A post by the star goes round for some two hours."""
        delays = [self._rng.expovariate(1 / (35 * 60)) for _ in range(_BURST)]
        for delay in sorted(delays):
            at = _BURST_AT + int(delay) * _SECOND
            kind = self._one_of({Kind.LIKE: 55, Kind.RETWEET: 35, Kind.COMMENT: 10})
            made_up = self._made_up("bluesky", kind, at)
            if made_up.actor != STAR:
                self._accept(replace(made_up, target=STAR, object="post-the-song"))

    def _posts(self) -> None:
        """Posts that name several people; some are deleted, which retracts all that they gave."""
        for _ in range(_POSTS):
            network = self._one_of({"bluesky": 3, "mastodon": 2})
            post = self._made_up(network, Kind.MENTION, START + self._moment())
            record = f"{network}-record-{self._number}"
            others = [name for name in self._people.everybody[network] if name != post.actor]
            named = self._rng.sample(others, self._rng.randrange(1, 4))
            kinds = [self._one_of({Kind.MENTION: 4, Kind.COMMENT: 1}) for _ in named]
            given = [
                replace(post, id=f"{record}-{n}", kind=kind, target=target, record=record)
                for n, (kind, target) in enumerate(zip(kinds, named, strict=True))
            ]
            for interaction in given:
                self._accept(interaction, may_be_repeated=False)
            if self._rng.random() < 0.1:
                self._delete(post, record, given)

    def _delete(self, post: Interaction, record: str, given: list[Interaction]) -> None:
        """The deletion goes to each topic that the record could have fed."""
        at = post.received_at + self._between(2, 300)
        for kind in (Kind.MENTION, Kind.COMMENT):
            fed = [interaction for interaction in given if interaction.kind is kind]
            self._undo(replace(post, id=f"{record}-deleted", kind=kind, record=record), at, True)
            for interaction in fed:
                self.ledger.retract(interaction)
            self.ledger.unmatched += not fed

    def _mishaps(self) -> None:
        """What networks do to event streams; each of another interaction."""
        pool = self._rng.sample(self._standing, 800)
        for original in pool[:400]:
            self._deliver(
                replace(original, received_at=original.received_at + self._between(1, 90))
            )
            self.ledger.duplicates += 1
        for original in pool[400:560]:
            self._undo(original, original.received_at + self._between(1, 240))
            self.ledger.retract(original)
        for original in pool[560:600]:
            self._take_back_and_do_again(original)
        for n in range(12):
            self._undo_first(n)
        for n in range(8):
            gone = self._everyday_like()
            self._undo(replace(gone, id=f"never-seen-{n}"), gone.received_at)
            self.ledger.unmatched += 1
        for _ in range(12):
            like = self._everyday_like()
            self._deliver(replace(like, target=like.actor))
            self.ledger.self_dropped += 1
        for days in (100, 140, 400):
            # By now every partition's clock is past the first day, and this is before its windows.
            like = self._made_up("twitter", Kind.LIKE, START + 2 * _DAY)
            self._deliver(replace(like, at=like.at - days * _DAY))
            self.ledger.late += 1
        for wrong, received_at, line in dirty_lines(self._standing, self._rng):
            self._write(received_at, line)
            self.ledger.dead[wrong] += 1

    def _take_back_and_do_again(self, original: Interaction) -> None:
        """Half of the networks then give a new id, the others the same with a newer time."""
        undone_at = original.received_at + self._between(1, 20)
        again_at = undone_at + self._between(1, 20)
        self._undo(original, undone_at)
        self.ledger.retract(original)
        again = replace(original, at=again_at, received_at=again_at)
        if self._rng.random() < 0.5:
            again = replace(again, id=f"{original.id}-again")
        self._deliver(again)
        self.ledger.accept(again)

    def _undo_first(self, number: int) -> None:
        """The undo overtakes its interaction, which then must not count."""
        like = replace(self._everyday_like(), id=f"overtaken-{number}")
        undone_at = like.at + self._between(1, 5)
        self._undo(like, undone_at)
        self._deliver(replace(like, received_at=undone_at + self._between(1, 30)))
        self.ledger.unmatched += 1
        self.ledger.undone += 1

    def _everyday_like(self) -> Interaction:
        return self._made_up("mastodon", Kind.LIKE, START + self._moment())

    def _made_up(self, network: str, kind: Kind, at: int) -> Interaction:
        """A sound interaction of this kind that happened at ``at``."""
        rng, people = self._rng, self._people
        self._number += 1
        everybody = people.everybody[network]
        actor = everybody[int(len(everybody) * rng.random() ** 1.8)]  # some are more active
        target = actor
        while target == actor:
            if rng.random() < 0.75:
                target = rng.choices(people.stars[network], people.fame[network])[0]
            else:
                target = rng.choice(everybody)
        # Most things are heard of within seconds, a few when an agent comes back after hours.
        delay = rng.expovariate(1 / 3) if rng.random() < 0.98 else rng.uniform(3_600, 10_000)
        received_at = at + int(delay) * _SECOND
        estimated = network == "youtube" and kind is Kind.LIKE  # these come without a time
        return Interaction(
            id=f"{network}-{kind.value}-{self._number}",
            kind=kind,
            network=network,
            actor=actor,
            target=target,
            object=None if kind is Kind.MENTION else f"post-{rng.randrange(24)}",
            at=received_at if estimated else at,
            received_at=received_at,
            estimated=estimated,
            amount=rng.randrange(1, 6) if kind is Kind.RECOMMENDATION else 1,
        )

    def _accept(self, interaction: Interaction, *, may_be_repeated: bool = True) -> None:
        self._deliver(interaction)
        self.ledger.accept(interaction)
        if may_be_repeated:
            self._standing.append(interaction)

    def _undo(self, original: Interaction, at: int, whole_record: bool = False) -> None:
        """An undo that happens and is received at ``at``."""
        undo = replace(original, at=at, received_at=at, undo=True, object=None, amount=1)
        self._deliver(replace(undo, target=None) if whole_record else undo)

    def _deliver(self, interaction: Interaction) -> None:
        self._write(interaction.received_at, msgspec.json.encode(interaction))
        if interaction.actor != interaction.target:
            self.ledger.seen(interaction)

    def _write(self, received_at: int, line: bytes) -> None:
        self._lines.append((received_at, len(self._lines), line))
        self.ledger.read += 1

    def _moment(self) -> int:
        """A moment of the three days, in ms but whole seconds; people sleep."""
        while True:
            moment = self._rng.randrange(_DAYS * _DAY // _SECOND) * _SECOND
            hour = moment % _DAY / _HOUR
            if self._rng.random() < 0.55 - 0.45 * math.cos((hour - 3) / 24 * 2 * math.pi):
                return moment

    def _between(self, least: int, most: int) -> int:
        """Milliseconds, whole seconds of them, that lie between two numbers of minutes."""
        return self._rng.randrange(least * 60, most * 60) * _SECOND

    def _one_of(self, weights: dict[T, int]) -> T:
        return self._rng.choices(list(weights), list(weights.values()))[0]
