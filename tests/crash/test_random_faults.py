"""A short random run; the long one is ``make crash``."""

from pathlib import Path

import pytest

from tests.crash.run import run_faults
from tests.support.fixtures import APACHE

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


@pytest.mark.parametrize("broker", ["embedded", pytest.param("apache", marks=APACHE)])
def test_random_faults(tmp_path: Path, broker: str) -> None:
    outcomes = list(run_faults(tmp_path, broker, "ci", 0, 4, stop_at_difference=True))
    assert [each["differences"] for each in outcomes] == [[]] * 4
