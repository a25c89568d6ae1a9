"""Fixtures and settings that every test shares."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from config.settings import Settings
from tests.support.data import data_folder

# A shared machine may pause a test for longer than Hypothesis' deadline of 200 ms.
settings.register_profile("renown", deadline=None, print_blob=True)
settings.load_profile("renown")

_FOR_TESTS = ("RENOWN_TEST_",)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's settings, in the environment or in ``.env``, reach no test."""
    for name in os.environ:
        if name.startswith("RENOWN_") and not name.startswith(_FOR_TESTS):
            monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of public data sets."""
    return data_folder()
