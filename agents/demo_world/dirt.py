"""Lines that are no interactions, as they really come: by what is wrong with them."""

import random
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from schemas.interaction import Interaction

_Spoil = Callable[[dict[str, object], random.Random], bytes]


def _with(**changes: object) -> _Spoil:
    return lambda fields, _rng: msgspec.json.encode(fields | changes)


def _without(name: str) -> _Spoil:
    return lambda fields, _rng: msgspec.json.encode(
        {key: value for key, value in fields.items() if key != name}
    )


def _cut_short(fields: dict[str, object], rng: random.Random) -> bytes:
    whole = msgspec.json.encode(fields)
    return whole[: rng.randrange(len(whole) // 2, len(whole) - 1)]


def _noise(_fields: dict[str, object], rng: random.Random) -> bytes:
    body = bytes(rng.randrange(256) for _ in range(120))
    return b"\x00\x9f" + body.replace(b"\n", b"\x01").replace(b"\r", b"\x02")


def _half_a_character(fields: dict[str, object], _rng: random.Random) -> bytes:
    return msgspec.json.encode(fields).replace(b'"network"', b'"object":"\\ud83d","network"', 1)


SPOILED: Final[tuple[tuple[str, int, _Spoil], ...]] = (
    ("bad json", 8, _cut_short),
    ("binary noise", 4, _noise),
    ("half a character", 2, _half_a_character),
    ("not an object", 2, lambda _fields, rng: b"[%d]" % rng.randrange(10_000)),
    ("unknown kind", 5, _with(kind="poke")),
    ("unknown network", 3, _with(network="pigeonpost", actor="pigeonpost:7")),
    ("wrong type", 4, _with(at="yesterday")),
    ("amount of 0", 2, _with(amount=0)),
    ("no actor", 2, _without("actor")),
    ("no target", 2, _without("target")),
    ("before 2004", 3, _with(at=1_741_780_800)),
    ("in the future", 3, _with(at=4_102_444_800_000)),
)
"""What is wrong, how many such lines there are, and how one is made of a sound interaction."""


def dirty_lines(models: list[Interaction], rng: random.Random) -> Iterator[tuple[str, int, bytes]]:
    """What is wrong, when it comes (ms) and the line; made of ``models`` without using them up."""
    for wrong, number, spoil in SPOILED:
        for model in rng.sample(models, number):
            yield wrong, model.received_at, spoil(msgspec.to_builtins(model), rng)
