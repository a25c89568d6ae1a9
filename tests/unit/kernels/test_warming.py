"""Kernels are compiled before records wait for them, and a person is told why that takes time."""

import importlib
import pkgutil
from collections.abc import Sequence

import pytest
from numba.core.dispatcher import Dispatcher

from streams import kernels, warming
from streams.core.records import RecordColumns


def signatures() -> dict[str, int]:
    """Kernel → for how many types of arguments it is compiled or loaded."""
    modules = [m.name for m in pkgutil.iter_modules(kernels.__path__)]
    return {
        f"{module}.{name}": len(value.signatures)
        for module in modules
        for name, value in vars(importlib.import_module(f"streams.kernels.{module}")).items()
        if isinstance(value, Dispatcher)
    }


def test_another_hour_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    warming.warm_up()
    before = signatures()
    made_up = warming._fetched

    def others(values: Sequence[bytes], at: int, first: int) -> RecordColumns:
        return made_up(values[5:], at + 60_000, first)

    monkeypatch.setattr(warming, "_fetched", others)
    warming.warm_up()
    assert signatures() == before


def test_what_every_score_model_needs_is_compiled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "is_ready", lambda: False)
    monkeypatch.setattr(warming, "make_ready", lambda: None)
    warming.warm_up()
    found = signatures()
    by_actor = ("classes.number_actors", "classes.index_actors", "hours.enter")
    assert all(found[name] for name in by_actor)


def test_compiling_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    marks: list[bool] = []
    monkeypatch.setattr(warming, "_play", lambda _model: None)
    monkeypatch.setattr(warming, "is_ready", lambda: bool(marks))
    monkeypatch.setattr(warming, "make_ready", lambda: marks.append(True))
    with caplog.at_level("INFO"):
        warming.warm_up()
        told = [record.message for record in caplog.records]
        warming.warm_up()
    assert len(told) == len(caplog.records) == 2
    assert "compiling the kernels" in told[0]
