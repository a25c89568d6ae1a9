"""Scores of accounts from their cells, compiled: the twin of ``streams/core/model.py``.

The same integers step by step, one account after the other; the bounds are noted there.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.cells import NO_CELL, NO_HOUR, NO_POSTS, Cells
from streams.kernels.compiling import bare, inlined
from streams.kernels.counts import engagers_in, interactions_in

ONE: Final = 1024
LOWEST: Final = 1000
SPAN: Final = 99_000
NEVER_H: Final = 1 << 20
_DAY_H: Final = 24
_WEEK_H: Final = 168
_MONTH_H: Final = 720
_LARGEST_SHIFT: Final = 62
_SPREAD: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
_FOLD: Final = np.uint64(29)

Longs = npt.NDArray[np.int64]
Number = Any
"""A whole number: of Python, or of numpy with any width, as a kernel has it at the moment."""


class Formula(NamedTuple):
    """The parameters of a score model that the score of an account needs; see ``Model``."""

    class_weights: Longs
    logs: Longs
    horizons: Longs
    mu: Longs
    fresh_w: int
    fresh_free: int
    fresh_mu: int
    kappa: int
    beta_shift: int
    e_max: int
    rho: int
    r0: int
    r_max: int
    mu_shift: int
    fade_h: int
    e0: int
    top_q16: int
    pace_k: int


class Standings(NamedTuple):
    """What a score update says of accounts: int64[accounts] each.

    ``sums``: int64[accounts, 3, horizons], weights, interactions and engagers. ``said``:
    uint64[accounts], a hash of the sums.
    """

    score: Longs
    bits: Longs
    influence: Longs
    momentum: Longs
    sums: Longs
    said: npt.NDArray[np.uint64]


@bare
def stand(
    accounts: Longs, cells: Cells, now: Number, formula: Formula, scratch: Longs, found: Standings
) -> None:
    """Fill ``found`` for ``accounts``; ``scratch``: int64[cells of an account, horizons]."""
    for row in range(len(accounts)):
        account = accounts[row]
        newest, earliest, count = np.int64(NO_HOUR), np.int64(now), 0
        found.sums[row] = 0
        cell = np.int64(cells.head[account])
        while cell != NO_CELL:
            engage(cell, cells, np.int64(cells.level[account]), formula, scratch[count])
            add_sums(cell, cells, np.int64(cells.level[account]), found.sums[row])
            newest = max(newest, np.int64(cells.last[cell]))
            earliest = min(earliest, np.int64(cells.first[cell]))
            cell, count = np.int64(cells.following[cell]), count + 1
        silent = min(now - newest, NEVER_H)
        inside = influence_of(scratch, count, silent, formula)
        level = logarithm(ONE + ONE * inside // formula.e0, formula.logs)
        level -= logarithm(np.int64(ONE), formula.logs)
        found.influence[row], found.bits[row] = inside, level
        found.score[row] = LOWEST + min(level * SPAN // formula.top_q16, SPAN)
        found.momentum[row] = pace(found.sums[row, 0], now - earliest, formula)
        found.said[row] = digest(found.sums[row])


@bare
def engage(cell: Number, cells: Cells, level: Number, formula: Formula, values: Longs) -> None:
    """Engagement of one cell in each horizon; ``level``: its counts are to be shifted left by."""
    weights, poster = formula.class_weights, cells.poster[cell]
    for horizon in range(len(values)):
        settled = engagers_in(cells, cell, horizon, 1)
        rest = weights[1] * (settled << level)
        for best in range(2, len(weights)):
            more = engagers_in(cells, cell, horizon, best) << level
            rest += (weights[best] - weights[best - 1]) * more
        fresh = formula.fresh_w * ((engagers_in(cells, cell, horizon, 0) - settled) << level)
        once = rest + min(fresh, formula.fresh_free + formula.fresh_mu * rest)
        total = cells.weights[cell, horizon]
        repeats = min(total, formula.kappa * once) >> formula.beta_shift
        amplified = min(once + repeats, formula.e_max)
        ratio = formula.r0
        if poster != NO_POSTS:
            own: Number = np.int64(cells.posts[poster, horizon])
            ratio *= 1 + max(own, 0)
        ratio = min(ratio, formula.r_max)
        bonus = amplified - amplified * ratio // (amplified + ratio)
        values[horizon] = amplified + formula.rho * bonus


@bare
def add_sums(cell: Number, cells: Cells, level: Number, sums: Longs) -> None:
    """Add what one cell holds to int64[3, horizons] of its account."""
    for horizon in range(sums.shape[1]):
        sums[0, horizon] += cells.weights[cell, horizon]
        sums[1, horizon] += interactions_in(cells, cell, horizon)
        sums[2, horizon] += engagers_in(cells, cell, horizon, 0) << level


@bare
def influence_of(values: Longs, count: Number, silent: Number, formula: Formula) -> Number:
    """One number from the engagement of ``count`` cells, which is used up, after some silence."""
    total = np.int64(0)
    for horizon in range(values.shape[1]):
        combined = np.int64(0)
        for rank in range(count):
            # the largest first: the next one is halved, the one after it quartered ...
            largest = 0
            for cell in range(1, count):
                if values[cell, horizon] > values[largest, horizon]:
                    largest = cell
            combined += values[largest, horizon] >> min(rank, _LARGEST_SHIFT)
            values[largest, horizon] = -1
        total += formula.mu[horizon] * combined
    total >>= formula.mu_shift
    left = min(max(formula.horizons[-1] - silent, 0), formula.fade_h)
    return total * left // formula.fade_h


@bare
def logarithm(x: Number, logs: Longs) -> Number:
    """Logarithm to base 2 in Q16 of ``x >= 1``, rounded down."""
    whole, rest = 0, x
    while rest > 1:
        rest >>= 1
        whole += 1
    width, entries = 0, len(logs)
    while 1 << width < entries:
        width += 1
    mantissa = x >> (whole - width) if whole >= width else x << (width - whole)
    return (whole << 16) + logs[mantissa & (entries - 1)]


@bare
def pace(weights: Longs, known_h: Number, formula: Formula) -> Number:
    """Momentum: the last day against the daily pace of a week and a month; 50 is usual."""
    day, week, month = np.int64(0), np.int64(0), np.int64(0)
    for horizon in range(len(weights)):
        hours = formula.horizons[horizon]
        if hours == _DAY_H:
            day = weights[horizon]
        elif hours == _WEEK_H:
            week = weights[horizon] * _DAY_H // min(max(known_h, _DAY_H), hours)
        elif hours == _MONTH_H:
            month = weights[horizon] * _DAY_H // min(max(known_h, _DAY_H), hours)
    usual = (week + month) // 2
    return 100 * (day + formula.pace_k) // (day + usual + 2 * formula.pace_k)


@bare
def digest(sums: Longs) -> np.uint64:
    """A hash of an account's sums, by which a change is seen."""
    result = np.uint64(0)
    for part in range(sums.shape[0]):
        for horizon in range(sums.shape[1]):
            result = mixed(result, np.uint64(sums[part, horizon]))
    return result


@inlined
def mixed(result: Number, value: Number) -> Number:
    """A hash with one more number in it."""
    result = (result ^ value) * _SPREAD
    return result ^ (result >> _FOLD)


@bare
def digest_all(sums: Longs, said: npt.NDArray[np.uint64]) -> None:
    """``digest`` of each of int64[accounts, 3, horizons]."""
    for row in range(len(said)):
        said[row] = digest(sums[row])
