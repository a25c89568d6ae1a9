"""Numbers as people read them on a dashboard, by the names of Grafana's units."""

import math
from datetime import UTC, datetime
from typing import Final

_Steps = list[tuple[float, str]]
"""Sizes, ascending, with the suffix from there on."""

_THOUSANDS: Final = 1000.0
_BINARY: Final = 1024.0
_DAY: Final = 86_400.0
_SECONDS: Final[_Steps] = [
    (1e-9, " ns"), (1e-6, " µs"), (1e-3, " ms"), (1, " s"),
    (60, " min"), (3600, " h"), (_DAY, " d"),
]  # fmt: skip
_SHORT: Final[_Steps] = [(1, ""), (1e3, " K"), (1e6, " Mil"), (1e9, " Bil"), (1e12, " Tri")]
_IEC: Final[_Steps] = [
    (_BINARY**power, f" {name}") for power, name in enumerate(("B", "KiB", "MiB", "GiB", "TiB"))
]
_SI: Final[_Steps] = [
    (_THOUSANDS**power, f" {name}") for power, name in enumerate(("B", "kB", "MB", "GB", "TB"))
]
_PER_SECOND: Final = {
    "reqps": "req/s",
    "rps": "rd/s",
    "wps": "wr/s",
    "ops": "ops/s",
    "eps": "evt/s",
    "cps": "c/s",
    "mps": "msg/s",
    "recps": "rec/s",
    "rowsps": "rows/s",
}
_TIMES: Final = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": _DAY}
_BYTES: Final = {"bytes": _IEC, "decbytes": _SI}
_BYTE_RATES: Final = {"binBps": _IEC, "Bps": _SI}


def text(value: float, unit: str = "short", decimals: int | None = None) -> str:
    """``value`` with its unit; ``decimals`` of the scaled number, else three significant digits."""
    if not math.isfinite(value):
        return "-" if math.isnan(value) else f"{value:+g}"
    kind, _, word = unit.partition(":")
    number = _number(value, decimals)
    if kind in ("suffix", "prefix"):
        return f"{number} {word.strip()}" if kind == "suffix" else f"{word.strip()} {number}"
    if unit.startswith("dateTime"):
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    if unit in ("none", "string"):
        return number
    if unit in ("percent", "percentunit"):
        return _number(value * (100 if unit == "percentunit" else 1), decimals) + "%"
    steps, factor, behind = _scale(unit)
    return _scaled(value * factor, steps, decimals) + behind


def tick_step(span: float, unit: str, ticks: int = 4) -> float:
    """The round distance between about ``ticks`` lines on an axis of ``span``, in ``unit``.

    Round in what is shown: 256 KiB and 15 min, not 250,000 B and 1000 s.
    """
    if not span > 0 or not math.isfinite(span):
        return 1.0
    wanted = span / ticks
    if unit in _BYTES or unit in _BYTE_RATES:
        base = _BINARY if unit in ("bytes", "binBps") else _THOUSANDS
        if base == _BINARY:
            return float(2 ** math.ceil(math.log2(wanted)))
    if unit in _TIMES:
        seconds = wanted * _TIMES[unit]
        for step in (60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, _DAY):
            if 45 < seconds <= step:
                return step / _TIMES[unit]
    power = 10.0 ** math.floor(math.log10(wanted))
    return power * next(factor for factor in (1, 2, 2.5, 5, 10) if wanted <= factor * power * 1.001)


def _scale(unit: str) -> tuple[_Steps, float, str]:
    """Steps, what to multiply by before, and what stands behind."""
    if unit in _TIMES:
        return _SECONDS, _TIMES[unit], ""
    if unit in _BYTES:
        return _BYTES[unit], 1.0, ""
    if unit in _BYTE_RATES:
        return _BYTE_RATES[unit], 1.0, "/s"
    return _SHORT, 1.0, f" {_PER_SECOND[unit]}" if unit in _PER_SECOND else ""


def _scaled(value: float, steps: _Steps, decimals: int | None) -> str:
    size = abs(value)
    if size == 0:
        suffix = next(name for step, name in steps if step == 1)
        return f"0{suffix}"
    # What would be rounded up to the next unit is shown in it: 1 s, not 1000 ms.
    fitting = [step for step in steps if size * 1.0005 >= step[0]] or steps[:1]
    step, suffix = fitting[-1]
    return f"{_number(value / step, decimals)}{suffix}"


def _number(value: float, decimals: int | None) -> str:
    if decimals is not None:
        return f"{value:,.{decimals}f}"
    size = abs(value)
    places = 0 if size >= 99.95 or size == 0 else 2 - math.floor(math.log10(size * 1.0005))
    shown = f"{value:,.{min(max(places, 0), 9)}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
