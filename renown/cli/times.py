"""Times as people write them."""

from datetime import UTC, datetime

from config.errors import WrongUse


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
