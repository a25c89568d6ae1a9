"""The code of a kernel is found again exactly as long as nothing that went into it has changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.kernels import code_cache


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A room of kernels: ``top`` calls ``middle``, that calls ``bottom``; ``alone`` none."""
    room = tmp_path / "kernels"
    room.mkdir()
    (room / "top.py").write_text("from streams.kernels.middle import x\n")
    (room / "middle.py").write_text(
        "import numpy\nfrom streams.kernels.bottom import (\n    y,\n)\n"
    )
    (room / "bottom.py").write_text("from streams.kernels.top import z\n")
    (room / "alone.py").write_text("")
    monkeypatch.setattr(code_cache, "_SOURCES", room)
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    forget()
    yield room
    forget()


def forget() -> None:
    code_cache._base.cache_clear()
    code_cache._with_imports.cache_clear()


def folders() -> dict[str, Path | None]:
    forget()
    return {n: code_cache.folder_for(f"streams.kernels.{n}") for n in ("top", "bottom", "alone")}


def test_a_change_below_moves_all_that_call_it(sources: Path) -> None:
    before = folders()
    assert before == folders()
    (sources / "bottom.py").write_text("from streams.kernels.top import z  # changed\n")
    after = folders()
    assert before["top"] != after["top"]
    assert before["bottom"] != after["bottom"]
    assert before["alone"] == after["alone"]


def test_ready_is_said_of_one_version(sources: Path) -> None:
    assert not code_cache.is_ready()
    code_cache.make_ready()
    assert code_cache.is_ready()
    (sources / "alone.py").write_text("changed = True")
    assert not code_cache.is_ready()


def test_the_code_lies_beside_the_sources_or_where_it_is_asked_for(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code_cache._base() == sources / "__pycache__" / "code"
    forget()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "asked"))
    assert code_cache._base() == tmp_path / "asked"


def test_what_cannot_be_written_is_copied(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = sources / "__pycache__" / "code"
    (image / "0123").mkdir(parents=True)
    (image / "0123" / "machine.code").write_bytes(b"code")
    code_cache.make_ready()
    forget()
    can_write = code_cache._can_write
    monkeypatch.setattr(code_cache, "_can_write", lambda p: p != image and can_write(p))
    for _ in range(2):
        forget()
        home = tmp_path / "home" / ".cache" / "renown" / "kernels"
        assert code_cache._base() == home
        assert (home / "0123" / "machine.code").read_bytes() == b"code"
        assert code_cache.is_ready()
        assert sorted(p.name for p in home.iterdir()) == sorted(p.name for p in image.iterdir())


def test_nobody_elses_code_is_run(sources: Path) -> None:
    folder = sources / "__pycache__" / "code"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert code_cache._base() != folder


def test_without_any_place_nothing_is_kept(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_cache, "_can_write", lambda _: False)
    assert folders() == {"top": None, "bottom": None, "alone": None}
    code_cache.make_ready()
    assert not code_cache.is_ready()
