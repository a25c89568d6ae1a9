"""The formula, with cases worked out by hand."""

import numpy as np
import pytest

from schemas.model import load_model
from streams.core import model as formula

MODEL = load_model()
HORIZONS = len(MODEL.horizons_h)
CLASSES = len(MODEL.class_weights)


def everywhere(value: int) -> np.ndarray:
    """One cell with the same value in each horizon."""
    return np.full((HORIZONS, 1), value, np.int64)


def engagers(best: list[int]) -> np.ndarray:
    """One cell whose engagers have these best classes in each horizon."""
    distinct = np.zeros((CLASSES, HORIZONS, 1), np.int64)
    for c in range(CLASSES):
        distinct[c] = sum(b >= c for b in best)
    return distinct


def evaluate(
    weights: np.ndarray, distinct: np.ndarray, posts: int = 0, silent: int = 0
) -> formula.Standing:
    cells = weights.shape[-1]
    return formula.evaluate(
        weights,
        distinct,
        posts,
        np.zeros(cells, np.int64),
        np.array([silent]),
        np.array([24]),
        MODEL,
    )


@pytest.mark.parametrize(
    ("x", "log"),
    [
        (1, 0),
        (2, 65536),
        (3, 103872),
        (1024, 10 << 16),
        (1536, (10 << 16) + 38336),
        (2**52, 52 << 16),
    ],
)
def test_logarithms_of_powers_of_two_are_exact_and_others_round_down(x: int, log: int) -> None:
    # log2(3) * 65536 = 103872.07, log2(1.5) * 65536 = 38336.07
    assert formula.ilog2(np.array([x]), MODEL).tolist() == [log]


def test_nothing_is_one_point() -> None:
    state = evaluate(everywhere(0), engagers([]))
    assert state.score.tolist() == [1000]
    assert state.bits.tolist() == [0]
    assert state.influence.tolist() == [0]
    assert state.momentum.tolist() == [50]


def test_one_retweet_by_an_ordinary_account() -> None:
    # weight 3 * 512 = 1536; reach 512; E = 512 + min(1536, 2048) / 4 = 896
    # X = 896 + 3 * (896 - floor(896 * 10240 / 11136)) = 896 + 3 * (896 - 823) = 1115
    # C = 110 * 1115 >> 4 = 7665; inside the logarithm 1024 + 30660 = 31684 = 2^14 * 1.93...
    # bits = 4 * 65536 + floor(65536 * log2(1980 / 1024)) = 262144 + 62343
    state = evaluate(everywhere(1536), engagers([3]))
    assert state.influence.tolist() == [7665]
    assert state.bits.tolist() == [324487]
    assert state.score.tolist() == [1000 + 324487 * 99000 // 1890000]


def test_a_twice_as_large_network_is_counted_in_full_and_the_smaller_one_halved() -> None:
    values = np.array([[100, 900, 400, 7]])
    owner = np.array([0, 0, 0, 1])
    assert formula.combine(values, owner, 3).tolist() == [[900 + 200 + 25, 7, 0]]


def test_networks_are_ranked_in_each_horizon_by_themselves() -> None:
    values = np.array([[100, 40], [10, 60]])
    assert formula.combine(values, np.array([0, 0]), 1).tolist() == [[120], [65]]


def test_cells_of_several_accounts_may_come_in_any_order() -> None:
    values = np.array([[8, 5, 64, 32, 16]])
    owner = np.array([2, 0, 1, 2, 1])
    assert formula.combine(values, owner, 3).tolist() == [[5, 64 + 8, 32 + 4]]


def test_reach_weights_each_engager_by_the_best_class() -> None:
    # 512 + 1024 + 4096, and 128 of class 1
    assert (formula.reach(engagers([3, 4, 6, 1]), MODEL) == 5760).all()


def test_fresh_engagers_alone_count_up_to_a_cap() -> None:
    assert (formula.reach(engagers([0] * 8), MODEL) == 1024).all()
    assert (formula.reach(engagers([0] * 80), MODEL) == 1024).all()
    # one ordinary engager raises the cap by 8 * 512
    assert (formula.reach(engagers([0] * 80 + [3]), MODEL) == 512 + 1024 + 4096).all()


def test_repeats_at_most_double_reach() -> None:
    twice = formula.engagement(everywhere(2048), engagers([3]), 0, MODEL)
    flood = formula.engagement(everywhere(1 << 60), engagers([3]), 0, MODEL)
    assert twice.tolist() == flood.tolist()


def test_own_posts_lower_engagement_until_the_bonus_is_gone() -> None:
    values = [
        int(formula.engagement(everywhere(1536), engagers([3] * 9), posts, MODEL)[0, 0])
        for posts in (0, 1, 10, 6552, 6553, 1 << 40, (1 << 62) - 1)
    ]
    assert values == sorted(values, reverse=True)
    assert values[-1] == values[-2] == values[-3]


def test_largest_state_does_not_overflow() -> None:
    distinct = np.full((CLASSES, HORIZONS, 1), (1 << 48) - 1, np.int64)
    state = evaluate(everywhere((1 << 62) - 1), distinct)
    assert state.score.tolist() == [100_000]


@pytest.mark.parametrize(
    ("silent", "share"), [(0, 1440), (720, 1440), (721, 1439), (1440, 720), (2160, 0), (9999, 0)]
)
def test_score_fades_after_thirty_days_of_silence(silent: int, share: int) -> None:
    full = evaluate(everywhere(1536), engagers([3])).influence[0]
    state = evaluate(everywhere(1536), engagers([3]), silent=silent)
    assert state.influence.tolist() == [full * share // 1440]


def pace(day: int, week: int, month: int, known: int) -> int:
    weights = np.array([[0], [day], [week], [month], [month]])
    return int(formula.momentum(weights, np.array([known]), MODEL)[0])


def test_momentum_compares_a_day_with_the_days_before() -> None:
    assert pace(0, 0, 0, 0) == 50
    # the usual pace over 30 days
    assert pace(1000, 7000, 30000, 720) == 50
    # a = 7000, pace 1000 and 30000 / 30 = 1000: 100 * 8536 / (8000 + 3072) = 77.09
    assert pace(7000, 7000, 30000, 720) == 77
    # known for 48 hours: both paces are half of everything, b = 3500: 100 * 8536 / 13572 = 62.9
    assert pace(7000, 7000, 7000, 48) == 62
    # known for less than a day counts as a day
    assert pace(7000, 7000, 7000, 0) == 50


def test_tiers_begin_at_their_line() -> None:
    scores = [36_999, 37_000, 47_999, 48_000, 60_000, 100_000]
    assert formula.tier(scores, MODEL).tolist() == [0, 1, 1, 2, 3, 3]
