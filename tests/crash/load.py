"""A seeded stream of records with everything in it that is hard on exactness.

Duplicates, undos of an interaction (with and without its target), of a whole record, and either of
them before what they undo, late and too late events, events out of order and a little ahead,
interactions with oneself, broken records, heartbeats and outdated ones, several networks, a hot
target.
"""

import json
import random
from collections import deque
from typing import Any, Final, NamedTuple

from tests.crash.judge import HOUR_MS, POSTS, partition_of

KINDS: Final = ("like", "mention", "comment", "retweet", "recommendation")
NETWORKS: Final = ("twitter", "bluesky", "mastodon")
START_MS: Final = 1_700_000_000_000
_DAY_MS = 24 * HOUR_MS
_MS_AN_EVENT = 4_000
_AHEAD_MS = 300_000
"""So far may an event be ahead of when it was received."""
_ACTORS, _TARGETS, _REMEMBERED = 1_500, 400, 2_000
_HOT = "twitter:everybody"


class Published(NamedTuple):
    """A record to be published."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


class Load:
    """The same ``seed`` gives the same records."""

    def __init__(self, seed: str, partitions: int) -> None:
        self._random = random.Random(seed)
        self._partitions = partitions
        self._numbers = 0
        self.clock = START_MS
        self._past: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)
        self._posts: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)
        self._coming: deque[dict[str, Any]] = deque()

    def jump(self, hours: int) -> None:
        """Let the next events be that much later."""
        self.clock += hours * HOUR_MS

    def chunk(self, count: int) -> list[Published]:
        """The next ``count`` records, and a heartbeat for every partition at their end."""
        records = [self._next() for _ in range(count)]
        records += [self._record(message) for message in self._coming]
        self._coming.clear()
        return records + self.heartbeats(self.clock)

    def heartbeats(self, clock: int) -> list[Published]:
        """One for every partition of every kind, saying which time was reached."""
        beat = json.dumps({"clock": clock, "agent": "crash"}).encode()
        return [
            Published(f"interactions.{kind}", partition, b"", beat)
            for kind in KINDS
            for partition in range(self._partitions)
        ]

    def _next(self) -> Published:
        self.clock += self._random.randrange(2 * _MS_AN_EVENT)
        dice = self._random.random()
        if dice < 0.02:
            return self._broken()
        if dice > 0.99:
            outdated = self.clock - self._random.randrange(3 * HOUR_MS)
            return self._random.choice(self.heartbeats(outdated))
        if dice > 0.94:
            return self._post()
        if dice < 0.20 and self._past:
            return self._record(self._again(self._random.choice(self._past)))
        if dice < 0.22 and len(self._coming) > 3:
            return self._record(self._coming.popleft())
        message = self._interaction()
        if dice < 0.25:
            self._coming.append(message)
            later = {"at": message["at"] + 1_000, "received_at": message["received_at"] + 1_000}
            undo = {**message, "undo": True, **later}
            return self._record(self._of_record(undo) if self._random.random() < 0.5 else undo)
        self._past.append(message)
        return self._record(message)

    def _post(self) -> Published:
        """An own post, mostly of somebody who receives something; again, or that it is gone."""
        pick = self._random
        dice = pick.random()
        if dice < 0.25 and self._posts:
            post = pick.choice(self._posts)
            if dice < 0.15:
                post = {**post, "at": max(self.clock, post["at"]), "undo": True}
        else:
            network = pick.choice(NETWORKS)
            author = f"{network}:t{int(1.1 * _TARGETS * pick.random() ** 3)}"
            at = self.clock - pick.randrange(30 * HOUR_MS if dice < 0.5 else HOUR_MS)
            post = {"id": f"p{self._number()}", "at": at, "network": network, "author": author}
            self._posts.append(post)
        author = post["author"]
        place = partition_of(author, self._partitions)
        return Published(POSTS, place, author.encode(), json.dumps(post).encode())

    def _again(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message once more, or its undo, or it anew after its undo."""
        later = max(self.clock, message["at"])
        way = self._random.randrange(8)
        if way < 3:
            return message
        if way == 3:
            return {**message, "at": later, "received_at": later}
        undo = {**message, "undo": True, "at": later, "received_at": later}
        return self._of_record(undo) if way > 5 else undo

    def _of_record(self, undo: dict[str, Any]) -> dict[str, Any]:
        """An undo without a target: of its whole record, if it has one."""
        del undo["target"]
        if "record" in undo:
            undo["id"] = f"u{self._number()}"
        return undo

    def _interaction(self) -> dict[str, Any]:
        pick = self._random
        network = pick.choice(NETWORKS)
        actor = f"{network}:{int(_ACTORS * pick.random() ** 3)}"
        target = f"{network}:t{int(_TARGETS * pick.random() ** 3)}"
        if pick.random() < 0.2:
            target = _HOT
        if pick.random() < 0.01:
            target = actor
        dice, at = pick.random(), self.clock - pick.randrange(2 * HOUR_MS)
        if dice < 0.05:
            at = self.clock - pick.randrange(80 * _DAY_MS)
        elif dice < 0.06:
            at = self.clock - 120 * _DAY_MS
        elif dice < 0.08:
            at = self.clock + pick.randrange(_AHEAD_MS)
        message = {
            "id": f"é{self._number()}" if pick.random() < 0.05 else f"i{self._number()}",
            "kind": pick.choice(KINDS),
            "network": network,
            "actor": actor,
            "target": target,
            "at": at,
            "received_at": self.clock,
        }
        if pick.random() < 0.3:
            message["record"] = f"r{self._numbers // 500}"  # several of a busy actor's
        if pick.random() < 0.1:
            message["amount"] = pick.randrange(2, 50)
        return message

    def _broken(self) -> Published:
        record = self._record(self._interaction())
        value = record.value or b""
        way = self._random.randrange(5)
        if way == 0:
            return record._replace(value=value[: len(value) // 2])
        if way == 1:
            return record._replace(value=None)
        if way == 2:
            return record._replace(partition=(record.partition + 1) % self._partitions)
        if way == 3:
            return record._replace(value=value.replace(b'"actor"', b'"nobody"'))
        return record._replace(value=b'{"at": 1, ' + value[1:].replace(b'"at"', b'"was"'))

    def _record(self, message: dict[str, Any]) -> Published:
        topic, actor = f"interactions.{message['kind']}", message["actor"]
        separators = (",", ":") if self._random.random() < 0.9 else None
        value = json.dumps(message, separators=separators, ensure_ascii=False).encode()
        return Published(topic, partition_of(actor, self._partitions), actor.encode(), value)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers
