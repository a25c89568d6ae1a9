"""Writes ``schemas/json/<topic>.json``: JSON Schemas for producers in other languages.

Run ``python -m schemas.generate`` after a change of a message; a test compares the files.
"""

import inspect
import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.account import AccountFacts
from schemas.contribution import Contribution
from schemas.dead_letter import DeadLetter
from schemas.identity import Identity
from schemas.interaction import Heartbeat, Interaction
from schemas.post import Post
from schemas.score import ScoreUpdate
from schemas.standing import DayClosed, Standing
from schemas.topics import INTERACTION_TOPICS, Topic

FOLDER: Final = Path(__file__).parent / "json"

MESSAGES: Final[dict[str, tuple[type[msgspec.Struct], ...]]] = {
    "interactions": (Interaction, Heartbeat),
    Topic.POSTS.value: (Post,),
    Topic.ACCOUNTS.value: (AccountFacts,),
    Topic.IDENTITIES.value: (Identity,),
    Topic.STANDING.value: (Standing, DayClosed),
    Topic.CONTRIBUTIONS.value: (Contribution,),
    Topic.SCORES.value: (ScoreUpdate,),
    Topic.DEAD_LETTERS.value: (DeadLetter,),
}
"""What a record's value may be, by the name of the file; the interaction topics share one."""

_REFERENCE: Final = "#/$defs/{name}"
# What weigh asks of an interaction beyond the types of its fields.
_TARGET_UNLESS_UNDO: Final = {
    "anyOf": [
        {"required": ["target"], "properties": {"target": {"type": "string"}}},
        {"required": ["undo"], "properties": {"undo": {"const": True}}},
    ]
}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the values on topic ``name``, a key of ``MESSAGES``."""
    types = MESSAGES[name]
    references, definitions = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    if "Interaction" in definitions:
        definitions["Interaction"] |= _TARGET_UNLESS_UNDO
    topics = [t.value for t in INTERACTION_TOPICS] if name == "interactions" else [name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Value of a record on {', '.join(topics)}",
        **(references[0] if len(types) == 1 else {"anyOf": list(references)}),
        "$defs": {key: _tidy(value) for key, value in sorted(definitions.items())},
    }


def text_of(name: str) -> str:
    """The content of ``<name>.json``."""
    return json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"


def _tidy(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition with its docstring as plain running text."""
    if text := definition.get("description"):
        paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text).replace("``", "`"))
        definition["description"] = "\n\n".join(p.replace("\n", " ") for p in paragraphs)
    return definition


def main() -> None:
    """Write every file and remove those of messages that are no more."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.stem not in MESSAGES:
            path.unlink()
    for name in MESSAGES:
        (FOLDER / f"{name}.json").write_text(text_of(name), encoding="utf-8")


if __name__ == "__main__":
    main()
