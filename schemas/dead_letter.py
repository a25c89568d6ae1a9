"""``dead-letters``: a record that could not be used, with where it lies and why; keyed by topic."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

LARGEST_KEPT_BODY: Final = 256 * 1024
"""Bytes of a body that are kept; of a larger one the beginning, with its true size."""


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """``value`` and ``key`` are base64 in JSON. ``size``: true length of the value in bytes."""

    v: Annotated[int, Meta(ge=1, le=1)] = 1
    reason: str
    detail: str = ""
    topic: str
    partition: int
    offset: int
    at: Annotated[int, Meta(description="timestamp of the record, ms UTC")]
    key: bytes | None = None
    value: bytes | None = None
    size: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()
