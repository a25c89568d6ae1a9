"""``renown doctor`` really tries whether there can be a data folder."""

from pathlib import Path

import pytest

from config.settings import load_settings
from renown.cli.checks import check_data_folder


def finding(folder: Path) -> tuple[bool, str]:
    (found,) = check_data_folder(load_settings(_env_file=None, data_dir=folder))
    return not found.trouble, found.text


def test_a_folder_that_is_there_or_can_be_made(tmp_path: Path) -> None:
    assert finding(tmp_path) == (True, f"{tmp_path} can be written")
    assert finding(tmp_path / "a" / "b") == (True, f"{tmp_path / 'a' / 'b'} will be made")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_folder_that_nobody_can_make_whatever_the_permissions_say() -> None:
    well, text = finding(Path("/proc/nope"))
    assert not well
    assert "RENOWN_DATA_DIR" in text


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        well, text = finding(folder)
        assert not well
        assert str(folder) in text
