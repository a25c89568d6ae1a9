"""The parameter file of the score model and its loader."""

import math

import msgspec
import pytest

from schemas.kinds import KINDS
from schemas.model import Model, load_model, versions


def test_version_1_is_the_default_and_loaded_once() -> None:
    assert load_model() == load_model(1)
    assert load_model(1) is load_model(1)
    assert load_model().version == 1


def test_weights_of_version_1() -> None:
    model = load_model()
    weights = {kind.value: weight for kind, weight in zip(KINDS, model.kind_weights, strict=True)}
    assert weights == {"like": 1, "mention": 2, "comment": 3, "retweet": 3, "recommendation": 6}
    assert model.class_weights[model.ordinary_class] == 512
    assert max(model.kind_weights) * max(model.class_weights) == 24_576


def test_windows_of_version_1() -> None:
    model = load_model()
    assert model.horizons_h == (6, 24, 168, 720, 2160)
    assert model.longest_h == 90 * 24


def test_each_class_weight_follows_from_tier_and_selectivity() -> None:
    model = load_model()
    for tier, weight in enumerate(model.tier_w):
        for step in range(len(model.sel) + 1):
            assert model.class_weights[model.ordinary_class + tier - step] == weight >> step


def test_logarithms_follow_the_rule_and_cannot_be_changed() -> None:
    logs = load_model().logs
    assert logs.shape == (1024,)
    assert int(logs[0]) == 0
    assert int(logs[512]) == math.floor(65536 * math.log2(1.5))
    assert int(logs.sum()) == 37_366_805
    with pytest.raises(ValueError, match="read-only"):
        logs[0] = 1


def test_arrays_equal_the_tuples() -> None:
    model = load_model()
    assert tuple(model.class_array.tolist()) == model.class_weights


def test_unknown_version_is_named_with_the_known_ones() -> None:
    assert versions() == [1, 2]
    with pytest.raises(ValueError, match="unknown score model version 99; known: 1"):
        load_model(99)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind_weights": [1, 2]}, "one kind weight per kind"),
        ({"mu": [1]}, "one weight per horizon"),
        ({"class_weights": [2, 1]}, "class weights that never fall"),
        ({"horizons_h": [6, 24, 168, 720, 720]}, "horizons that rise"),
        ({"fresh_h": 0}, "a time for which actors are fresh"),
    ],
)
def test_contradicting_parameters_are_refused(change: dict[str, object], message: str) -> None:
    parameters = msgspec.to_builtins(load_model()) | change
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(parameters, Model)
