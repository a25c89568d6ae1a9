"""How long to wait before the next attempt: longer each time, and never quite the same."""

import random
from typing import Final

_FACTOR: Final = 2.0
_MOST_DOUBLINGS: Final = 32


class Backoff:
    """Waits between half and the whole of ``first`` seconds, then of twice that, up to ``largest``.

    The random half keeps many agents from coming back at the same moment.
    """

    def __init__(
        self, first: float = 0.5, largest: float = 60.0, chance: random.Random | None = None
    ) -> None:
        self._first = first
        self._largest = largest
        self._chance = chance or random.Random()
        self.attempts = 0

    def next(self) -> float:
        """Seconds to wait now."""
        doublings = min(self.attempts, _MOST_DOUBLINGS)
        self.attempts += 1
        most = min(self._largest, self._first * _FACTOR**doublings)
        return most * (0.5 + 0.5 * self._chance.random())

    def reset(self) -> None:
        """It went well: begin anew."""
        self.attempts = 0
