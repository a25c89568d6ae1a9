"""Public data sets and payloads that tests use where they are there."""

import os
from pathlib import Path

import pytest

HIGGS = "datasets/higgs-twitter/higgs-activity_time.txt.gz"

_DEFAULT = Path(__file__).parents[2].parent / "shared" / "data"


def data_folder() -> Path:
    """The folder of public data sets: ``RENOWN_TEST_DATA``, else ``../shared/data``."""
    return Path(os.environ.get("RENOWN_TEST_DATA") or _DEFAULT)


def present(path: Path) -> Path:
    """``path``; skips the test where it is missing."""
    if not path.is_file():
        pytest.skip(f"{path} is missing; set RENOWN_TEST_DATA to the shared data's folder")
    return path


def data_file(name: str) -> Path:
    """The file ``name`` of the public data; skips the test where it is missing."""
    return present(data_folder() / name)
