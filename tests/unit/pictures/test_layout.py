"""Where panels and legends stand."""

from dataclasses import replace

from deploy.pictures.dashboard import Field, Panel
from deploy.pictures.layout import (
    MARK,
    WIDTH,
    column_widths,
    legend_lines,
    places,
    shortened,
)

PANEL = Panel("", "stat", 0, 0, 12, 4, (), Field(), {}, {}, (), ())


def test_panels_beside_and_below_each_other_do_not_touch() -> None:
    panels = [PANEL, replace(PANEL, x=12), replace(PANEL, y=4, w=24, h=8)]
    (left, right, below), height = places(panels)
    assert left.x + left.w < right.x
    assert (left.y, left.h) == (right.y, right.h)
    assert left.y + left.h < below.y
    assert left.x == below.x
    assert right.x + right.w == below.x + below.w < WIDTH
    assert below.y + below.h < height


def test_grid_lines_without_a_panel_take_no_room() -> None:
    near, low = places([PANEL, replace(PANEL, y=4)])
    far, also_low = places([PANEL, replace(PANEL, y=100)])
    assert near == far
    assert low == also_low


def six(text: str) -> float:
    """Letters of six pixels."""
    return 6.0 * len(text)


def test_a_legend_goes_on_in_the_next_line() -> None:
    each = MARK + six("four")
    lines = legend_lines(["four"] * 5, 2.5 * each, 9, six)
    assert [[number for _, number in line] for line in lines] == [[0, 1], [2, 3], [4]]
    assert [x for x, _ in lines[0]] == [0, each]


def test_a_legend_says_that_there_is_more() -> None:
    lines = legend_lines(["a name"] * 50, 400, 2, six)
    assert len(lines) == 2
    assert lines[-1][-1][1] == -1
    assert lines[-1][-1][0] + six("and 12 more") <= 400
    assert legend_lines(["a name"] * 4, 400, 2, six)[-1][-1][1] == 3
    assert legend_lines(["a name"], 400, 0, six) == []


def test_a_name_that_is_too_wide_has_a_line_of_its_own() -> None:
    lines = legend_lines(["x" * 400, "short"], 300, 3, six)
    assert [[number for _, number in line] for line in lines] == [[0], [1]]


def test_a_text_is_cut_to_the_width() -> None:
    assert shortened("x" * 400, 300, six) == "x" * 49 + "…"
    assert shortened("short", 300, six) == "short"
    assert shortened("short", 1, six) == "s…"


def test_columns_that_fit_share_what_is_over() -> None:
    assert column_widths([10, 30], 100) == [40, 60]
    assert column_widths([10, 60, 500, 30], 100) == [25, 75]
    assert column_widths([200, 500, 30], 100) == [100]
