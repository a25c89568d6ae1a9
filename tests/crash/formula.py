"""The score formula of model version 1 on plain Python integers, written from its definition.

It is the judge's own: it shares nothing with the engine, so that a mistake is not made twice.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

HORIZONS_H: Final = (6, 24, 168, 720, 2160)
KIND_WEIGHTS: Final = {"like": 1, "mention": 2, "comment": 3, "retweet": 3, "recommendation": 6}
CLASS_WEIGHTS: Final = (128, 128, 256, 512, 1024, 2048, 4096)
ORDINARY: Final = 3

_ONE = 1024
_FRESH_FREE, _FRESH_MU = 1024, 8
_KAPPA, _BETA_SHIFT = 4, 2
_RHO, _R0, _R_MAX = 3, 10 * _ONE, 1 << 26
_E_MAX = 1 << 36
_MU, _MU_SHIFT = (48, 48, 8, 4, 2), 4
_FADE_H = 1440
_E0, _TOP_Q16 = 256, 1_890_000
_PACE_K = 1536
_LOGS = [math.floor(65536 * math.log2(1 + i / 1024)) for i in range(1024)]


class Sums(NamedTuple):
    """One account on one network: by horizon, and by horizon and class (best class at least c).

    ``posts``: its own ones.
    """

    weights: Sequence[int]
    interactions: Sequence[int]
    distinct: Sequence[Sequence[int]]
    posts: Sequence[int]


class Score(NamedTuple):
    """Thousandths of a point, log2 of the influence in Q16, and the influence."""

    score: int
    bits: int
    influence: int


def score(networks: Sequence[Sums], silent_h: int) -> Score:
    """The score of an account ``silent_h`` hours after its last interaction."""
    combined = []
    for horizon in range(len(HORIZONS_H)):
        each = sorted(
            (
                _engagement(cell.weights[horizon], cell.distinct[horizon], cell.posts[horizon])
                for cell in networks
            ),
            reverse=True,
        )
        combined.append(sum(value >> min(rank, 62) for rank, value in enumerate(each)))
    total = sum(mu * value for mu, value in zip(_MU, combined, strict=True)) >> _MU_SHIFT
    left = min(max(HORIZONS_H[-1] - silent_h, 0), _FADE_H)
    influence = total * left // _FADE_H
    bits = _log2(_ONE + _ONE * influence // _E0) - (10 << 16)
    return Score(1000 + min(bits * 99_000 // _TOP_Q16, 99_000), bits, influence)


def momentum(weights: Sequence[int], known_h: int) -> int:
    """The last day against the daily pace of 7 and 30 days, ``known_h`` hours after the first
    interaction that counts: 0 to 100. ``weights``: by horizon, all networks."""
    by_hours = dict(zip(HORIZONS_H, weights, strict=True))
    paces = [by_hours[hours] * 24 // min(max(known_h, 24), hours) for hours in (168, 720)]
    usual = sum(paces) // len(paces)
    return 100 * (by_hours[24] + _PACE_K) // (by_hours[24] + usual + 2 * _PACE_K)


def _engagement(weight: int, distinct: Sequence[int], posts: int) -> int:
    """Weighted reach, amplified by repeats, times the bonus for few own posts."""
    only = [mine - above for mine, above in zip(distinct, [*distinct[1:], 0], strict=True)]
    rest = sum(w * n for w, n in zip(CLASS_WEIGHTS[1:], only[1:], strict=True))
    fresh = CLASS_WEIGHTS[0] * only[0]
    reach = rest + min(fresh, _FRESH_FREE + _FRESH_MU * rest)
    amplified = min(reach + (min(weight, _KAPPA * reach) >> _BETA_SHIFT), _E_MAX)
    ratio = min(_R0 * (posts + 1), _R_MAX)
    return amplified + _RHO * (amplified - amplified * ratio // (amplified + ratio))


def _log2(x: int) -> int:
    """Logarithm in Q16 of ``x >= 1``: bit length, then ten bits of mantissa through a table."""
    whole = x.bit_length() - 1
    mantissa = x >> (whole - 10) if whole >= 10 else x << (10 - whole)
    return (whole << 16) + _LOGS[mantissa & 1023]
