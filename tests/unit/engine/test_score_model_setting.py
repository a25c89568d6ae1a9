"""The setting that selects the score model."""

import pytest
from prometheus_client import CollectorRegistry

from config.errors import WrongUse
from config.settings import load_settings
from streams.app import build_score_app
from streams.metrics.score import ScoreMetrics


def test_an_unknown_score_model_is_refused_and_the_known_ones_are_named() -> None:
    settings = load_settings(kafka="127.0.0.1:1", score_model=99)
    with pytest.raises(WrongUse, match=r"RENOWN_SCORE_MODEL: unknown .* version 99; known: 1, 2"):
        build_score_app(settings, ScoreMetrics(CollectorRegistry()))
