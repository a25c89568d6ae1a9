"""The score formula on int64 arrays, for many accounts at once.

A cell is an account on one network. Arrays over cells have the cells along the last axis:
``weights`` and ``posts`` int64[horizons, cells], ``distinct`` int64[classes, horizons, cells],
where ``distinct[c]`` counts the engagers whose best class in the horizon is at least c. Nothing
here uses floating point, so every machine and every order of summation gives the same integers;
the bounds noted at each step keep the products below 2^63.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.model import ONE, Model
from streams.core.arrays import Ints

MILLI = 1000
"""Thousandths in a point."""
LOWEST = MILLI
"""The score of an account without influence, in thousandths."""
SPAN = 99 * MILLI
"""From the lowest to the highest score, in thousandths."""
NEVER_H = 1 << 20
"""Silence of an account that never received anything, in hours."""

_DAY_H = 24
_PACES_H = (168, 720)


@dataclass(frozen=True, slots=True)
class Standing:
    """int64[accounts] each; ``score`` in thousandths of a point, ``bits`` in Q16."""

    score: Ints
    bits: Ints
    influence: Ints
    momentum: Ints


def ilog2(x: npt.ArrayLike, model: Model) -> Ints:
    """Logarithm to base 2 in Q16 of int64 ``x >= 1``, rounded down; it never falls as x grows.

    The whole part is the bit length; the next bits (ten of them with 1,024 entries) index the
    model's table.
    """
    x = np.asarray(x, np.int64)
    whole, rest = np.zeros_like(x), x
    for shift in (32, 16, 8, 4, 2, 1):
        large = rest >= (1 << shift)
        whole = whole + large * shift
        rest = np.where(large, rest >> shift, rest)
    entries = len(model.logs)
    width = entries.bit_length() - 1
    mantissa = np.where(
        whole >= width, x >> np.maximum(whole - width, 0), x << np.maximum(width - whole, 0)
    )
    result: Ints = (whole << 16) + model.logs[mantissa & (entries - 1)]
    return result


def reach(distinct: Ints, model: Model) -> Ints:
    """Distinct engagers weighted by their best class; fresh ones (class 0) count up to a cap."""
    weights = model.class_weights
    # sum q_c (D_c - D_{c+1}), regrouped so that each D_c is read once
    rest = weights[1] * distinct[1]
    for c in range(2, len(weights)):
        if step := weights[c] - weights[c - 1]:
            rest += step * distinct[c]
    fresh = model.fresh_w * (distinct[0] - distinct[1])
    result: Ints = rest + np.minimum(fresh, model.fresh_free + model.fresh_mu * rest)
    return result


def engagement(weights: Ints, distinct: Ints, posts: npt.ArrayLike, model: Model) -> Ints:
    """Reach, amplified by repeats, times the bonus for few own posts; int64[horizons, cells].

    With amplified reach E <= 2^36 and r <= 2^26, E * r <= 2^62 and the result <= 2^38.
    """
    once = reach(distinct, model)
    repeats = np.minimum(weights, model.kappa * once) >> model.beta_shift
    amplified = np.minimum(once + repeats, model.e_max)
    # (posts + 1) is clipped first: r0 times an absurd number of posts must not overflow
    own = np.minimum(np.asarray(posts, np.int64) + 1, model.r_max)
    ratio = np.minimum(model.r0 * own, model.r_max)
    bonus: Ints = amplified - amplified * ratio // (amplified + ratio)
    result: Ints = amplified + model.rho * bonus
    return result


def combine(values: Ints, owner: Ints, accounts: int) -> Ints:
    """Sum the networks of each account, the largest in full, the next halved, then quartered ...

    ``values`` int64[horizons, cells]; ``owner[i]`` in 0..accounts-1 is the account of cell i, in
    any order, any number of cells each. Returns int64[horizons, accounts], less than twice the
    largest value.
    """
    cells = np.bincount(owner, minlength=accounts)
    total = np.zeros((len(values), accounts), np.int64)
    single = cells[owner] == 1
    total[:, owner[single]] = values[:, single]
    if single.all():
        return total
    several, whose = values[:, ~single], owner[~single]
    start = np.cumsum(cells * (cells > 1)) - cells
    for row, out in zip(several, total, strict=True):
        order = np.lexsort((-row, whose))
        ranked = whose[order]
        rank = np.arange(len(order)) - start[ranked]
        np.add.at(out, ranked, row[order] >> np.minimum(rank, 62))
    return total


def influence(combined: Ints, silent: Ints, model: Model) -> Ints:
    """One number per account from int64[horizons, accounts], faded after long silence; < 2^42."""
    total = (np.array(model.mu, np.int64)[:, None] * combined).sum(0) >> model.mu_shift
    left = np.clip(model.longest_h - silent, 0, model.fade_h)
    faded: Ints = total * left // model.fade_h
    return faded


def bits(influence: Ints, model: Model) -> Ints:
    """log2(1 + influence / e0) in Q16."""
    return ilog2(ONE + ONE * influence // model.e0, model) - ilog2(ONE, model)


def points(bits: Ints, model: Model) -> Ints:
    """Score in thousandths of a point, 1,000 to 100,000."""
    result: Ints = LOWEST + np.minimum(bits * SPAN // model.top_q16, SPAN)
    return result


def momentum(weights: Ints, known_h: Ints, model: Model) -> Ints:
    """The last 24 hours against the account's own daily pace of 7 and 30 days: 0 to 100.

    ``weights`` int64[horizons, accounts], summed over networks; ``known_h``: hours since the
    account was first seen. 50 is the usual pace, or nothing at all.
    """
    by_hours = dict(zip(model.horizons_h, weights, strict=True))
    day = by_hours[_DAY_H]
    pace = sum(by_hours[h] * _DAY_H // np.clip(known_h, _DAY_H, h) for h in _PACES_H)
    usual = pace // len(_PACES_H)
    result: Ints = 100 * (day + model.pace_k) // (day + usual + 2 * model.pace_k)
    return result


def evaluate(
    weights: Ints,
    distinct: Ints,
    posts: npt.ArrayLike,
    owner: Ints,
    silent: Ints,
    known_h: Ints,
    model: Model,
) -> Standing:
    """Score accounts 0..len(silent)-1 from their cells; shapes as in the functions above."""
    accounts = len(silent)
    combined = combine(engagement(weights, distinct, posts, model), owner, accounts)
    inside = influence(combined, silent, model)
    level = bits(inside, model)
    pace = momentum(summed(weights, owner, accounts), known_h, model)
    return Standing(points(level, model), level, inside, pace)


def summed(values: Ints, owner: Ints, accounts: int) -> Ints:
    """int64[rows, cells] added up per account: int64[rows, accounts]."""
    total = np.zeros((len(values), accounts), np.int64)
    for row, out in zip(values, total, strict=True):
        np.add.at(out, owner, row)
    return total


def tier(score: npt.ArrayLike, model: Model) -> Ints:
    """Standing tier (0 to 3) of scores in thousandths."""
    result: Ints = np.searchsorted(model.tiers, np.asarray(score) // MILLI, side="right")
    return result
