"""The score model's parameters: one JSON file a version, never edited once scores were published.

Every weighed row and every score carries its model version, so a figure can be recomputed years
later from the file of that version. All numbers are integers; 1024 stands for 1.0.
"""

import math
from functools import cache, cached_property
from importlib import resources
from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from schemas.kinds import KINDS

ONE = 1024
"""1.0 in the fixed point of weights, reach and engagement."""


class LogTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a table of logarithms must be: its number of entries and their sum."""

    entries: int
    sum: int


class Model(msgspec.Struct, frozen=True, dict=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of one version of the score model.

    ``kind_weights``: factor per kind, in the order of ``KINDS``. ``class_weights``: fixed-point
    weight per class 0 (fresh) to 6; it never falls. ``tiers``: whole points at which an actor's
    standing rises by one; ``tier_w``: weight of the tiers 0 to 3 before selectivity. ``sel``:
    interactions given at which selectivity halves the weight once more. ``fresh_h``: hours an
    actor is fresh, once the instance is older than ``epoch_h + fresh_h``; fresh reach (each
    ``fresh_w``) counts up to ``fresh_free + fresh_mu *`` other reach. Engagement is reach plus
    ``min(weight sum, kappa * reach) >> beta_shift``, at most ``e_max``; the ratio bonus adds up to
    ``rho`` times that, half-way at ``r0 * (posts + 1)``, which is at most ``r_max``.
    ``horizons_h``: hours of the windows; ``mu``: their weights, to be shifted right by
    ``mu_shift``. ``fade_h``: the last hours of silence over which a score fades to nothing.
    ``e0``: engagement at which the logarithm is 1; ``top_q16``: logarithm (Q16) of score 100.
    ``pace_k``: prior of momentum. ``class_rule``: ``constant``, every actor is ordinary, or
    ``actor``, classes follow from what is known of each actor at the last UTC midnight.
    """

    version: int
    kind_weights: tuple[int, ...]
    class_weights: tuple[int, ...]
    tiers: tuple[int, ...]
    tier_w: tuple[int, ...]
    sel: tuple[int, ...]
    fresh_h: int
    fresh_w: int
    epoch_h: int
    fresh_free: int
    fresh_mu: int
    beta_shift: int
    kappa: int
    rho: int
    r0: int
    r_max: int
    e_max: int
    horizons_h: tuple[int, ...]
    mu: tuple[int, ...]
    mu_shift: int
    fade_h: int
    e0: int
    top_q16: int
    pace_k: int
    log_table: LogTable
    class_rule: Literal["constant", "actor"] = "constant"

    def __post_init__(self) -> None:
        """Refuse parameters that contradict each other with ``ValueError``."""
        for right, what in (
            (len(self.kind_weights) == len(KINDS), "one kind weight per kind"),
            (len(self.tier_w) == len(self.tiers) + 1, "one weight per tier"),
            (len(self.mu) == len(self.horizons_h), "one weight per horizon"),
            (all(a <= b for a, b in pairwise(self.class_weights)), "class weights that never fall"),
            (all(a < b for a, b in pairwise(self.horizons_h)), "horizons that rise"),
            (self.fresh_h > 0 <= self.epoch_h, "a time for which actors are fresh"),
        ):
            if not right:
                raise ValueError(f"score model {self.version} needs {what}")

    @property
    def ordinary_class(self) -> int:
        """The class of an actor of whom nothing is known: tier 0, no selectivity, not fresh."""
        return len(self.sel) + 1

    @property
    def by_actor(self) -> bool:
        """Whether classes differ between actors: then days are closed, one after the other."""
        return self.class_rule == "actor"

    @property
    def longest_h(self) -> int:
        """Hours of the longest horizon; an older interaction cannot count any more."""
        return self.horizons_h[-1]

    @cached_property
    def logs(self) -> npt.NDArray[np.int64]:
        """int64[entries], read-only: ``floor(65536 * log2(1 + i / entries))``."""
        entries = self.log_table.entries
        table = np.array(
            [math.floor(65536 * math.log2(1 + i / entries)) for i in range(entries)], np.int64
        )
        table.setflags(write=False)
        return table

    @cached_property
    def class_array(self) -> npt.NDArray[np.int64]:
        """``class_weights`` as a read-only int64 array."""
        weights = np.array(self.class_weights, np.int64)
        weights.setflags(write=False)
        return weights


def versions() -> list[int]:
    """The versions that have a file, ascending."""
    names = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(int(n[1:-5]) for n in names if n.startswith("v") and n.endswith(".json"))


@cache
def load_model(version: int = 1) -> Model:
    """The parameters of ``version``.

    Raises ``ValueError``, in one line, if there is no such version, if its file is damaged, or if
    this machine computes another table of logarithms than the one scores are defined with.
    """
    file = resources.files(__name__) / f"v{version}.json"
    if not file.is_file():
        known = ", ".join(map(str, versions()))
        raise ValueError(f"unknown score model version {version}; known: {known}")
    try:
        model = msgspec.json.decode(file.read_bytes(), type=Model)
    except msgspec.DecodeError as error:
        raise ValueError(f"score model file v{version}.json is damaged: {error}") from error
    if model.version != version:
        raise ValueError(f"score model file v{version}.json says it is version {model.version}")
    if (total := int(model.logs.sum())) != model.log_table.sum:
        raise ValueError(
            f"the logarithms of score model {version} sum to {total} here, not to "
            f"{model.log_table.sum}; scores from this machine would differ"
        )
    return model
