"""A stretch of a made-up Bluesky, with what must come of it, told without the adapter."""

from typing import NamedTuple

from schemas.kinds import Kind
from tests.support import bluesky as sky

STEP_US = 20_000
_ACTORS, _AUTHORS = 40, 7


class Expected(NamedTuple):
    """An interaction that must come. ``undone``: taken back later in the stream."""

    id: str
    kind: Kind
    actor: str
    target: str
    object: str | None
    at: int
    undone: bool


class Stream(NamedTuple):
    """``messages``: event time in µs and bytes. ``undos``: ids of undos in any topic."""

    messages: list[tuple[int, bytes]]
    expected: list[Expected]
    undos: set[tuple[Kind, str]]
    posts: int

    @property
    def ids(self) -> set[tuple[Kind, str]]:
        """Kind and id of everything that must be published, undos included."""
        return {(each.kind, each.id) for each in self.expected} | self.undos


def stream(number: int, start_us: int = sky.MICROS, step_us: int = STEP_US) -> Stream:
    """``number`` messages from ``start_us`` on, ``step_us`` apart.

    Of ten, four are likes, two reposts, two replies and one mentions two accounts; the tenth
    deletes the first like, every other time the mentioning post instead.
    """
    messages: list[tuple[int, bytes]] = []
    expected: list[Expected] = []
    undos: set[tuple[Kind, str]] = set()
    posts = 0
    for n in range(number):
        time_us = start_us + n * step_us
        actor, author = f"actor{n // 10 % _ACTORS}", f"author{n % _AUTHORS}"
        key = f"3k{n:08d}"
        subject = sky.uri(author, f"3kpost{n % 13}")
        place = n % 10
        at, undone = time_us // 1000, undone_later(n, number)
        made: list[tuple[Kind, str, str, str | None]] = []
        if place < 4:
            messages.append((time_us, sky.like(actor, subject, key, time_us=time_us)))
            made = [(Kind.LIKE, sky.uri(actor, key, sky.LIKE), author, subject)]
        elif place < 6:
            messages.append((time_us, sky.repost(actor, subject, key, time_us=time_us)))
            made = [(Kind.RETWEET, sky.uri(actor, key, sky.REPOST), author, subject)]
        elif place < 8:
            messages.append((time_us, sky.post(actor, key, time_us=time_us, parent=subject)))
            made = [(Kind.COMMENT, sky.uri(actor, key), author, subject)]
            posts += 1
        elif place == 8:
            both = (author, f"author{(n + 1) % _AUTHORS}")
            messages.append((time_us, sky.post(actor, key, time_us=time_us, mentions=both)))
            record = sky.uri(actor, key)
            made = [
                (Kind.MENTION, f"{record}#mention:{sky.did(name)}", name, None) for name in both
            ]
            posts += 1
        else:
            collection, gone = (sky.POST, n - 1) if n // 10 % 2 else (sky.LIKE, n - 9)
            messages.append((time_us, sky.delete(actor, collection, f"3k{gone:08d}", time_us)))
            kinds = (Kind.COMMENT, Kind.MENTION) if collection == sky.POST else (Kind.LIKE,)
            record = sky.uri(actor, f"3k{gone:08d}", collection)
            undos |= {(kind, f"undo:{record}") for kind in kinds}
            posts += collection == sky.POST
        expected += [
            Expected(id, kind, sky.account(actor), sky.account(target), object, at, undone)
            for kind, id, target, object in made
        ]
    return Stream(messages, expected, undos, posts)


def undone_later(n: int, number: int) -> bool:
    """Whether a later message of the stream deletes what the ``n``-th made."""
    deletes = n - n % 10 + 9
    if deletes >= number:
        return False
    return n % 10 == (8 if n // 10 % 2 else 0)
