"""What must become of what a world handed out, counted while it is made up."""

from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.interaction import Interaction
from schemas.kinds import KINDS
from schemas.post import Post

ACCEPTED = "accepted"
DUPLICATE = "duplicate"
UNDONE = "undone"
UNMATCHED = "unmatched"
LATE = "late"
DEAD = "dead"
POST = "post"


class Event(NamedTuple):
    """One record to publish: an interaction, a post, or bytes that are neither.

    ``outcome``: of ``schemas.frames.OUTCOMES``, or ``post``; ``takes``: how many interactions an
    undo takes back; ``wrong``: what is wrong with the bytes.
    """

    body: Interaction | Post | bytes
    outcome: str = ACCEPTED
    takes: int = 1
    wrong: str = ""


@dataclass
class Ledger:
    """Running totals.

    ``accepted``: by kind, later undone ones included. ``undone``: interactions taken back, or
    refused because their undo came first. ``unmatched``: undos that met nothing. ``dead``: by what
    is wrong. Exact as long as the pipeline remembers the ids of the last 100,000 events: no
    repetition and no undo comes later than that.
    """

    events: int = 0
    accepted: dict[str, int] = field(default_factory=lambda: {kind.value: 0 for kind in KINDS})
    networks: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    undone: int = 0
    unmatched: int = 0
    late: int = 0
    dead: dict[str, int] = field(default_factory=dict)
    posts: int = 0

    def add(self, event: Event) -> None:
        """Count one event as handed out."""
        self.events += 1
        body, outcome = event.body, event.outcome
        if outcome == ACCEPTED and isinstance(body, Interaction):
            self.accepted[body.kind.value] += 1
            self.networks[body.network] = self.networks.get(body.network, 0) + 1
        elif outcome == POST:
            self.posts += 1
        elif outcome == DUPLICATE:
            self.duplicates += 1
        elif outcome == UNDONE:
            self.undone += event.takes
        elif outcome == UNMATCHED:
            self.unmatched += 1
        elif outcome == LATE:
            self.late += 1
        else:
            self.dead[event.wrong] = self.dead.get(event.wrong, 0) + 1
