"""Times and files as people name them."""

import time as wall
from datetime import UTC, datetime
from pathlib import Path

from config.errors import WrongUse
from schemas.interaction import EARLIEST_AT, LARGEST_AHEAD_MS


def parse_time(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time such as ``2012-07-05T00:00:00Z``.

    A time without a zone is UTC, a day is its midnight. Raises ``WrongUse``.
    """
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WrongUse(
            f"{text!r} is no time: write it like 2012-07-05T00:00:00Z or 2012-07-05"
        ) from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return round(time.timestamp() * 1000)


def parse_until(text: str) -> int:
    """The end of a replay in ms; raises ``WrongUse`` where no event time can lie."""
    end = parse_time(text)
    if not EARLIEST_AT < end <= wall.time() * 1000 + LARGEST_AHEAD_MS:
        raise WrongUse(f"--until {text}: interactions lie between 2004 and now")
    return end


def check_file(path: Path) -> None:
    """Raise ``WrongUse`` unless ``path`` is a file."""
    if path.is_dir():
        raise WrongUse(f"cannot read {path}: it is a folder")
    if not path.is_file():
        raise WrongUse(f"cannot read {path}: there is no such file")
