"""The reference implementation of the score model, where the shared data has it."""

import importlib.util
from pathlib import Path
from types import ModuleType

from tests.support.data import present


def model_file(test_data: Path, name: str) -> Path:
    """A file of the folder ``score`` beside the test data; skips the test if it is not there."""
    return present(test_data.parent / "score" / name)


def load_oracle(test_data: Path) -> ModuleType:
    """The reference as a module; skips the test if it is not there."""
    spec = importlib.util.spec_from_file_location("oracle", model_file(test_data, "model.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
