"""Numbers with their units."""

import math

import pytest

from deploy.pictures.units import text, tick_step


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0, "s", "0 s"),
        (0.00042, "s", "420 µs"),
        (0.0123456, "s", "12.3 ms"),
        (0.9999, "s", "1 s"),
        (59.9, "s", "59.9 s"),
        (90, "s", "1.5 min"),
        (7200, "s", "2 h"),
        (200_000, "s", "2.31 d"),
        (1500, "ms", "1.5 s"),
        (0, "bytes", "0 B"),
        (1536, "bytes", "1.5 KiB"),
        (5 * 1024**3, "bytes", "5 GiB"),
        (1500, "decbytes", "1.5 kB"),
        (2_000_000, "Bps", "2 MB/s"),
        (2 * 1024**2, "binBps", "2 MiB/s"),
        (0.25, "reqps", "0.25 req/s"),
        (1234, "reqps", "1.23 K req/s"),
        (300, "cps", "300 c/s"),
        (0.1234, "percentunit", "12.3%"),
        (12.34, "percent", "12.3%"),
        (999, "short", "999"),
        (999.7, "short", "1 K"),
        (12_345_678, "short", "12.3 Mil"),
        (-2500, "short", "-2.5 K"),
        (12_345, "none", "12,345"),
        (3, "suffix: rows", "3 rows"),
        (3, "prefix:€", "€ 3"),
        (1_741_833_208_000, "dateTimeAsIso", "2025-03-13 02:33:28"),
        (math.nan, "s", "-"),
        (math.inf, "s", "+inf"),
        (7, "a unit that nobody knows", "7"),
    ],
)
def test_text(value: float, unit: str, shown: str) -> None:
    assert text(value, unit) == shown


def test_decimals_are_of_what_is_shown() -> None:
    assert text(1.5, "s", 2) == "1.50 s"
    assert text(0.05, "percentunit", 0) == "5%"
    assert text(1234.5, "short", 0) == "1 K"


@pytest.mark.parametrize(
    ("span", "unit", "step"),
    [
        (10, "short", 2.5),
        (0.9, "percentunit", 0.25),
        (1_000_000, "bytes", 262_144),
        (3600, "s", 900),
        (3600, "short", 1000),
        (60, "m", 15),
        (0, "s", 1),
        (math.nan, "s", 1),
    ],
)
def test_lines_of_an_axis_are_round_in_what_is_shown(span: float, unit: str, step: float) -> None:
    assert tick_step(span, unit) == pytest.approx(step)
