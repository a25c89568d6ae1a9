"""What comes of an event later: it is delivered again, taken back, done once more."""

import heapq
from typing import Final

from msgspec.structs import replace

from agents.world.ledger import ACCEPTED, DUPLICATE, POST, UNDONE, UNMATCHED, Event
from schemas.interaction import Interaction
from schemas.kinds import Kind
from schemas.post import Post

_LONGEST_MS: Final = 600_000
_MOST_EVENTS_BETWEEN: Final = 100_000
"""An echo of an event comes at most so many events later: it must be remembered then."""

_SHORTEST_MS: Final = 1_000
_POST_TOPICS: Final = (Kind.MENTION, Kind.COMMENT)
"""What a deleted post may have given."""


class Aftermath:
    """Events to come, by when they are due; those due at the same time in the order of planning.

    ``rate``: events a second of event time.
    """

    def __init__(self, rate: float) -> None:
        self._longest = min(_LONGEST_MS, _MOST_EVENTS_BETWEEN / rate * 1000)
        self._shortest = min(_SHORTEST_MS, self._longest / 10)
        self._planned: list[tuple[int, int, Event]] = []
        self._number = 0

    def take(self, at: int) -> Event | None:
        """The next event that is due at ``at`` (ms)."""
        if self._planned and self._planned[0][0] <= at:
            return heapq.heappop(self._planned)[2]
        return None

    def plan(self, due: int, event: Event) -> None:
        """Let ``event`` come at ``due`` (ms)."""
        heapq.heappush(self._planned, (due, self._number, event))
        self._number += 1

    def later(self, at: int, point: float) -> int:
        """A time after ``at``, rather soon than late, for a point from 0 to 1."""
        delay = self._shortest * (self._longest / self._shortest) ** point
        return at + 1 + int(delay)

    def again(self, interaction: Interaction, due: int) -> None:
        """It is delivered once more."""
        self.plan(due, Event(interaction, DUPLICATE))

    def take_back(self, interaction: Interaction, due: int) -> None:
        """Its id is retracted."""
        self.plan(due, Event(undo_of(interaction, due), UNDONE))

    def take_back_and_redo(self, interaction: Interaction, due: int, redone: int) -> None:
        """It is retracted and done again under the same id, at ``redone``."""
        self.take_back(interaction, due)
        self.plan(redone, Event(replace(interaction, at=redone, received_at=redone), ACCEPTED))

    def delete_record(self, given: list[Interaction], due: int) -> None:
        """The record that gave these is deleted: each topic that it could have fed is told."""
        first = given[0]
        kinds = _POST_TOPICS if first.kind in _POST_TOPICS else (first.kind,)
        for kind in kinds:
            fed = sum(one.kind is kind for one in given)
            undo = replace(
                undo_of(first, due), id=f"{first.record}-deleted", kind=kind, target=None
            )
            self.plan(due, Event(undo, UNDONE, fed) if fed else Event(undo, UNMATCHED))

    def delete_post(self, post: Post, due: int) -> None:
        """An own post is deleted."""
        gone = Post(id=post.id, at=due, network=post.network, author=post.author, undo=True)
        self.plan(due, Event(gone, POST))


def undo_of(interaction: Interaction, at: int) -> Interaction:
    """The undo of one interaction, by its id."""
    return replace(interaction, at=at, received_at=at, undo=True, object=None, amount=1)
