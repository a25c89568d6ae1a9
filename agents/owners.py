"""Whom things belong to (a handle, a post), as far as it was seen, and what waits to learn it.

Both are bounded. The cache is kept on disk beside the cursor: an interaction that could be resolved
before a restart can be resolved after it.
"""

import contextlib
import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from agents.networks.found import Draft, keys_of
from config.errors import Unreachable

MOST_OWNERS: Final = 200_000
MOST_WAITING: Final = 500
WAITING_SECONDS: Final = 10.0

_SLACK: Final = 10_000
"""Lines beyond the entries before the file is written anew."""
_line = msgspec.json.Decoder(tuple[str, str])

log = logging.getLogger("renown.agents")


class OwnerCache:
    """key → account, the newest ``most``. What is learned is on disk after ``save``.

    The file has one JSON line ``[key, account]`` for each thing learned, later lines win, and is
    written anew when it has many more lines than there are entries.
    """

    def __init__(self, path: Path, most: int = MOST_OWNERS) -> None:
        """Reads the file if there is one; raises ``Unreachable`` where it cannot be read."""
        self.path = path
        self._most = most
        self._owners: dict[str, str] = {}
        self._new: list[tuple[str, str]] = []
        self._lines = 0
        self._sound = True
        self._load()

    def __len__(self) -> int:
        """Number of keys whose owner is known."""
        return len(self._owners)

    def get(self, key: str) -> str | None:
        """The account that ``key`` belongs to."""
        return self._owners.get(key)

    def learn(self, key: str, account: str) -> None:
        """From now on ``key`` belongs to ``account``; where it is full, the oldest entry goes."""
        if self._owners.get(key) != account:
            self._new.append((key, account))
            self._put(key, account)

    def save(self) -> None:
        """Make what was learned durable; raises ``Unreachable`` where it cannot be written."""
        if not self._new:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._sound and self._lines + len(self._new) <= 2 * len(self._owners) + _SLACK:
                self._append()
            else:
                self._rewrite()
        except OSError as error:
            raise self._trouble("write", error) from None
        self._new.clear()

    def _put(self, key: str, account: str) -> None:
        self._owners.pop(key, None)  # so that the order is that of learning
        self._owners[key] = account
        if len(self._owners) > self._most:
            del self._owners[next(iter(self._owners))]

    def _load(self) -> None:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._trouble("read", error) from None
        lines = content.split(b"\n")
        self._sound = lines.pop() == b""  # else the last line is cut off
        for line in lines:
            try:
                self._put(*_line.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._sound = False
            self._lines += 1
        if not self._sound:
            log.warning(
                "%s has lines that cannot be read; what they held is learned anew", self.path
            )

    def _append(self) -> None:
        with self.path.open("ab") as file:
            file.write(_lines(self._new))
            file.flush()
            os.fsync(file.fileno())
        self._lines += len(self._new)

    def _rewrite(self) -> None:
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}.tmp")
        try:
            with unfinished.open("wb") as file:
                file.write(_lines(self._owners.items()))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.path)
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
        self._lines, self._sound = len(self._owners), True

    def _trouble(self, verb: str, error: OSError) -> Unreachable:
        return Unreachable(
            f"cannot {verb} the owners {self.path}: {error.strerror or error}; "
            "make its folder writable or choose another (RENOWN_DATA_DIR)"
        )


def _lines(entries: Iterable[tuple[str, str]]) -> bytes:
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)


class WaitingRoom:
    """Drafts whose targets are not known yet, for at most ``seconds`` and at most ``most`` of them.

    Times are monotonic seconds.
    """

    def __init__(self, most: int = MOST_WAITING, seconds: float = WAITING_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._waiting: deque[tuple[float, Draft]] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[Draft]:
        """Those that wait, the one that came first first."""
        return (draft for _, draft in self._waiting)

    def add(self, draft: Draft, now: float) -> None:
        """Let ``draft`` wait from ``now`` on."""
        self._waiting.append((now + self._seconds, draft))

    def ready(self, owners: OwnerCache) -> list[Draft]:
        """Take out what waits for nothing any more; to be asked when something was learned."""
        out = [
            entry
            for entry in self._waiting
            if all(owners.get(key) is not None for key in keys_of(entry[1]))
        ]
        if out:
            gone = set(map(id, out))
            self._waiting = deque(e for e in self._waiting if id(e) not in gone)
        return [draft for _, draft in out]

    def overdue(self, now: float) -> list[Draft]:
        """Take out what has waited too long, and the oldest where too many wait."""
        out = []
        while self._waiting and (len(self._waiting) > self._most or self._waiting[0][0] <= now):
            out.append(self._waiting.popleft()[1])
        return out

    def earliest(self) -> int | None:
        """The earliest event time (ms) among those that wait; None if nobody does."""
        return min((draft.at for _, draft in self._waiting), default=None)
