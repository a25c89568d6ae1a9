"""What must become of the demo's lines, counted while they are made up."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from schemas.interaction import Interaction


@dataclass
class Ledger:
    """Counts of lines and of what they do. ``live``: (target, kind) → interactions that stand."""

    read: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    live: Counter[tuple[str, str]] = field(default_factory=Counter)
    duplicates: int = 0
    undone: int = 0
    unmatched: int = 0
    late: int = 0
    self_dropped: int = 0
    dead: Counter[str] = field(default_factory=Counter)
    last_at: int = 0

    def accept(self, interaction: Interaction) -> None:
        """It counts."""
        self.accepted[interaction.kind.value] += 1
        self.live[interaction.target or "", interaction.kind.value] += 1

    def retract(self, interaction: Interaction) -> None:
        """It counted and no longer does."""
        self.undone += 1
        self.live[interaction.target or "", interaction.kind.value] -= 1

    def seen(self, interaction: Interaction) -> None:
        """A line that is published and moves event time, whatever becomes of it."""
        self.last_at = max(self.last_at, interaction.at)

    def expected(self) -> dict[str, Any]:
        """The content of ``expected.json``.

        ``accepted``: by kind, later undone ones included; ``undone``: interactions taken back, or
        refused because their undo came first; ``unmatched``: undos that met nothing when they
        came; ``dead``: by what is wrong with the line; ``live``: by kind, what stands at the end;
        ``accounts``: those with at least one live interaction; ``top``: those with most.
        """
        by_kind: Counter[str] = Counter()
        by_account: Counter[str] = Counter()
        for (target, kind), number in self.live.items():
            by_kind[kind] += number
            by_account[target] += number
        ranked = sorted(by_account.items(), key=lambda pair: (-pair[1], pair[0]))
        return {
            "read": self.read,
            "accepted": dict(sorted(self.accepted.items())),
            "duplicates": self.duplicates,
            "undone": self.undone,
            "unmatched": self.unmatched,
            "late": self.late,
            "self": self.self_dropped,
            "dead": dict(sorted(self.dead.items())),
            "live": dict(sorted(by_kind.items())),
            "accounts": sum(number > 0 for number in by_account.values()),
            "top": [list(pair) for pair in ranked[:10]],
            "last_at": self.last_at,
        }
