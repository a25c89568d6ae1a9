"""What a run plays, and how."""

from dataclasses import dataclass
from pathlib import Path

from agents.formats import Format
from agents.pacing import Speed

SAMPLE = Path(__file__).parent.parent / "demo" / "interactions.jsonl.gz"
"""The project's own small data set."""

SAMPLE_SPEED = 12_960.0
"""Its three days in 20 s."""


@dataclass(frozen=True, slots=True)
class Play:
    """A file to play. ``until`` in ms UTC; ``limit``: at most so many lines."""

    path: Path = SAMPLE
    format: Format = Format.JSONL
    speed: Speed = None
    until: int | None = None
    repeat: int = 1
    limit: int | None = None
    network: str = ""
