"""Whether what a file holds comes too late for a stream that has gone on."""

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from agents.formats import Format, parser_of
from agents.lines import LineFile
from agents.source import Accepted
from config.settings import Settings
from renown.tails import TopicTails, newest_clock
from schemas.topics import Topic

_LONGEST_HORIZON_MS: Final = 90 * 86_400_000
_LOOKED_AT: Final = 1000
"""Lines in which an interaction is looked for."""


def first_event(file: Path, form: Format, network: str) -> datetime | None:
    """Event time of the first interaction of ``file``; None if its first lines hold none."""
    with LineFile(file) as lines:
        parse = parser_of(form, file, network)
        now = int(datetime.now(UTC).timestamp() * 1000)
        for item in parse(islice(lines.lines(), _LOOKED_AT), now):
            if isinstance(item, Accepted):
                return _time(item.interaction.at)
    return None


def late_before(settings: Settings) -> datetime | None:
    """Event time before which interactions are late by now; None if nothing was weighed yet.

    Raises ``Unreachable`` if no broker answers.
    """
    with TopicTails(settings) as tails:
        clock = newest_clock(tails, tails.ends(Topic.WEIGHED))
    return _time(clock - _LONGEST_HORIZON_MS) if clock else None


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
