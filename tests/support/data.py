"""Public data sets and payloads that tests use where they are there."""

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).parents[2].parent / "shared" / "data"


def data_file(name: str) -> Path:
    """The file ``name`` of the shared data; skips the test where it is missing."""
    path = Path(os.environ.get("RENOWN_TEST_DATA", _DEFAULT)) / name
    if not path.is_file():
        pytest.skip(f"{path} is missing; set RENOWN_TEST_DATA to the shared data's folder")
    return path
