"""The golden messages of ``schemas/examples``, for tests of producers and of consumers."""

import json
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "schemas" / "examples"


class Refused(NamedTuple):
    """A record that must be refused.

    ``reason``: that of its dead letter (interactions), else what the decoder says. ``topic`` and
    ``published_at`` (ms UTC) of interactions only.
    """

    name: str
    reason: str
    record: bytes
    topic: str
    published_at: int


def valid(folder: str) -> dict[str, bytes]:
    """Name → JSON text of every message in ``folder`` that must be accepted."""
    return {path.stem: path.read_bytes() for path in sorted((FOLDER / folder).glob("*.json"))}


def refused(folder: str) -> list[Refused]:
    """Every record in ``folder`` that must be refused."""
    found = []
    for path in sorted((FOLDER / folder / "invalid").glob("*.json")):
        content = json.loads(path.read_bytes())
        record = content["record"].encode()
        found.append(
            Refused(
                name=path.stem,
                reason=content["reason"],
                record=record,
                topic=content.get("topic", folder),
                published_at=content.get("published_at", 0),
            )
        )
    return found
