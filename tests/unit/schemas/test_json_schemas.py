"""The generated JSON Schema files are those of the messages as they are now."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.generate import FOLDER, MESSAGES, schema_of, text_of
from tests.support import examples

BEYOND_A_SCHEMA = {
    "empty",
    "bad json",
    "bad text",
    "wrong topic",
    "absurd time",
    "Invalid base64 encoded string",
}
"""Reasons that a JSON Schema does not know, or is told too late: there is no JSON to judge."""


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*(_references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(_references(value) for value in node))
    return set()


@pytest.mark.parametrize("name", MESSAGES)
def test_file_is_up_to_date(name: str) -> None:
    stored = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert stored == text_of(name), "run python -m schemas.generate"


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MESSAGES)


@pytest.mark.parametrize("name", MESSAGES)
def test_every_reference_is_defined(name: str) -> None:
    schema = schema_of(name)
    defined = {f"#/$defs/{key}" for key in schema["$defs"]}
    assert _references(schema) == defined


def _judge(name: str, text: bytes) -> bool:
    return bool(Draft202012Validator(schema_of(name)).is_valid(json.loads(text)))


@pytest.mark.parametrize("name", MESSAGES)
def test_schema_is_well_formed(name: str) -> None:
    Draft202012Validator.check_schema(schema_of(name))


@pytest.mark.parametrize("name", MESSAGES)
def test_schema_accepts_the_valid_examples(name: str) -> None:
    refused = [key for key, text in examples.valid(name).items() if not _judge(name, text)]
    assert refused == []


@pytest.mark.parametrize("name", MESSAGES)
def test_schema_refuses_what_breaks_it(name: str) -> None:
    broken = [e for e in examples.refused(name) if e.reason not in BEYOND_A_SCHEMA]
    assert broken
    assert [e.name for e in broken if _judge(name, e.record)] == []
