"""Numbers as a row of blocks, or of letters where there are none."""

import pytest

from renown.cli.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "encoding", "line"),
    [
        ([], "utf-8", ""),
        ([1.0], "utf-8", "▄"),
        ([5, 5, 5], "utf-8", "▄▄▄"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "utf-8", "▁▂▃▄▅▆▇█"),
        ([7, 0], "UTF-8", "█▁"),
        ([0, 7], "ascii", "_#"),
        ([0, 7], "latin-1", "_#"),
        ([0, 7], None, "_#"),
        ([0, 7], "no-such-encoding", "_#"),
        ([1, 1], "ascii", "=="),
    ],
)
def test_sparkline(values: list[float], encoding: str | None, line: str) -> None:
    assert sparkline(values, encoding) == line
