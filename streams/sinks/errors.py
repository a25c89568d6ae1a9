"""What can go wrong with ClickHouse, told in one line."""

from config.errors import RenownError, Unreachable


class Unavailable(Unreachable):
    """ClickHouse is away or too busy just now; the same call may work later."""


class Refused(RenownError):
    """ClickHouse answered no, and would again. ``code``: its own number of the error."""

    def __init__(self, line: str, code: int = 0) -> None:
        """``line``: the whole message for people."""
        super().__init__(line)
        self.code = code
