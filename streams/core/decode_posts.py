"""From the bytes of a record of ``posts`` to an own post, or the reason why it is none."""

import msgspec

from schemas.interaction import EARLIEST_AT, LARGEST_AHEAD_MS
from schemas.post import Post
from streams.core.decode import (
    LARGEST_VALUE,
    Bad,
    Reason,
    bad_text,
    malformed,
    misplaced,
    of_wrong_size,
    readable,
)


class PostDecoder:
    """Decodes the records of one partition of ``posts``."""

    def __init__(self, partition: int, partitions: int) -> None:
        self._partition = partition
        self._partitions = partitions
        self._post = msgspec.json.Decoder(Post)

    def decode(self, value: bytes | None, timestamp: int) -> Post | Bad:
        """What ``value``, published at ``timestamp`` (ms UTC), says. Never raises."""
        if not value or len(value) > LARGEST_VALUE:
            return of_wrong_size(value)
        try:
            post = self._post.decode(value)
        except msgspec.ValidationError as error:
            return Bad(Reason.WRONG_TYPE, readable(error))
        except (ValueError, RecursionError) as error:
            return malformed(error)
        if bad := bad_text(post, value, ("id", "author")):
            return bad
        if not EARLIEST_AT <= post.at <= timestamp + LARGEST_AHEAD_MS:
            return Bad(Reason.ABSURD_TIME, f"at {post.at}, published at {timestamp}")
        return misplaced(post.author, self._partition, self._partitions) or post
