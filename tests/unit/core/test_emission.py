"""What is published when, with invented scores and wall times."""

import numpy as np

from schemas.model import load_model
from streams.core.emission import CAUSES, Emission

MODEL = load_model()


class Scores:
    """Three accounts with a score and one published sum each."""

    def __init__(self) -> None:
        self.emission = Emission(MODEL, 1.0)
        self.emission.reserve(3)
        self.score = np.array([20_000, 30_000, 36_990])
        self.sum = np.array([1, 2, 3], np.uint64)

    def touch(self, *accounts: int) -> None:
        self.emission.touch(np.array(accounts))

    def fall_due(self, *accounts: int) -> None:
        self.emission.fall_due(np.array(accounts))

    def publish(self, now: float, *, everything: bool = False) -> list[tuple[int, int, str]]:
        who = self.emission.candidates(now, everything=everything)
        decision = self.emission.decide(
            who, self.score[who], self.sum[who], now, everything=everything
        )
        return list(
            zip(
                who[decision.places].tolist(),
                decision.change.tolist(),
                [CAUSES[cause] for cause in decision.cause],
                strict=True,
            )
        )


def published() -> Scores:
    scores = Scores()
    scores.touch(0, 1, 2)
    scores.publish(0)
    return scores


def test_the_first_update_counts_from_one_point() -> None:
    scores = Scores()
    scores.touch(1)
    assert scores.publish(0) == [(1, 29_000, "interaction")]
    assert scores.publish(5) == []


def test_a_quiet_account_is_published_at_once_and_a_busy_one_once_a_second() -> None:
    scores = published()
    scores.score[0] += 1
    scores.touch(0)
    assert scores.publish(0.5) == []
    scores.score[0] += 2
    assert scores.publish(1.0) == [(0, 3, "interaction")]
    scores.sum[0] += 1
    scores.touch(0)
    assert scores.publish(9) == [(0, 0, "interaction")]


def test_touched_without_a_difference_is_not_published() -> None:
    scores = published()
    scores.touch(0, 1, 2)
    assert scores.publish(9) == []
    scores.sum[0] += 1
    assert scores.publish(10) == [], "it is no longer touched"


def test_time_publishes_what_moved_visibly() -> None:
    scores = published()
    scores.fall_due(0, 1)
    scores.score[0] -= 49
    scores.score[1] -= 50
    assert scores.publish(9) == [(1, -50, "time")]
    scores.fall_due(0)
    scores.score[0] -= 1
    assert scores.publish(20) == [(0, -50, "time")], "counted from the last update"


def test_time_publishes_what_crossed_a_tier_line() -> None:
    scores = published()
    scores.fall_due(2)
    scores.score[2] = 37_000
    assert scores.publish(9) == [(2, 10, "time")]
    scores.fall_due(2)
    scores.score[2] = 36_999
    assert scores.publish(20) == [(2, -1, "time")]


def test_at_the_end_every_difference_is_published_without_waiting() -> None:
    scores = published()
    scores.fall_due(0, 1)
    scores.score[0] -= 49
    scores.score[1] -= 60
    assert scores.publish(0.1) == []
    assert scores.publish(9) == [(1, -60, "time")]
    scores.touch(2)
    scores.sum[2] += 1
    assert scores.publish(9.1, everything=True) == [(0, -49, "end"), (2, 0, "interaction")]
    assert scores.publish(9.2, everything=True) == []


def test_drift_that_came_back_is_not_published() -> None:
    scores = published()
    scores.fall_due(0)
    scores.score[0] += 10
    scores.publish(9)
    scores.fall_due(0)
    scores.score[0] -= 10
    scores.publish(10)
    assert scores.publish(11, everything=True) == []


def test_time_never_publishes_an_account_for_the_first_time() -> None:
    scores = Scores()
    scores.fall_due(0)
    assert scores.publish(9, everything=True) == []


def test_a_restart_goes_on() -> None:
    scores = published()
    scores.fall_due(0, 1)
    scores.score[0] -= 49
    scores.publish(9)
    scores.fall_due(1)
    scores.score[1] += 77
    scores.touch(2)
    scores.sum[2] += 1
    again = Scores()
    again.emission = Emission(MODEL, 1.0)
    again.emission.load([scores.emission.snapshot(np.arange(3))], 3)
    again.score, again.sum = scores.score, scores.sum
    expected = [(0, -49, "end"), (1, 77, "time"), (2, 0, "interaction")]
    assert again.publish(10, everything=True) == expected


def test_what_an_owner_before_may_still_publish_is_published_once_more() -> None:
    scores = published()
    scores.emission.guard()
    scores.touch(0)
    assert scores.publish(3) == [(0, 0, "interaction")], "though nothing differs"
    scores.score[0] += 5
    scores.touch(0)
    scores.fall_due(1)
    assert scores.publish(5) == [(0, 5, "interaction")]
    scores.emission.end_guard()
    scores.touch(2)
    assert scores.publish(5.1) == [(0, 0, "interaction")]
    assert scores.publish(60) == []


def test_an_account_that_must_be_published_again_does_not_leave_before() -> None:
    scores = Scores()
    scores.emission.guard()
    scores.score[:] = 1000
    scores.touch(0)
    scores.publish(0)
    who = np.array([0])
    assert scores.emission.finish(who).tolist() == [False]
    scores.emission.end_guard()
    assert scores.publish(6.0) == [(0, 0, "interaction")]
    assert scores.emission.finish(who).tolist() == [True]


def test_an_owner_that_dies_in_the_guard_leaves_word_of_what_to_publish_again() -> None:
    scores = Scores()
    scores.emission.guard()
    scores.touch(1)
    scores.publish(0)
    again = Scores()
    again.emission.load([scores.emission.snapshot(np.arange(3))], 3)
    again.emission.guard()
    assert again.publish(5) == []
    again.emission.end_guard()
    assert again.publish(6) == [(1, 0, "interaction")]


def test_nothing_is_recalled_of_nobody() -> None:
    scores = Scores()
    scores.emission.recall(
        np.empty(0, np.int64), np.empty(0, np.int64), np.empty((15, 0), np.int64)
    )
    assert scores.publish(0) == []
