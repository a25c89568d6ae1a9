"""A histogram that takes a whole array of observations at once."""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

_FEW = 16
"""So many values are added one by one in less time than an array takes."""

Numbers = npt.NDArray[np.int64] | npt.NDArray[np.float64]


class Observations:
    """The observations under one set of label values. Any thread may add to it."""

    def __init__(self, bounds: Numbers) -> None:
        """``bounds``: upper bounds, ascending, in the unit of what is observed."""
        self._bounds, self._few_bounds = bounds, bounds.tolist()
        self._lock = threading.Lock()
        self._counts = np.zeros(len(bounds) + 1, np.int64)
        self._sum = 0.0

    def observe_many(self, values: Numbers) -> None:
        """Add all of ``values``; the cost hardly depends on how many there are."""
        if len(values) <= _FEW:
            for value in values.tolist():
                self.observe(value)
            return
        lowest, highest = np.searchsorted(self._bounds, (values.min(), values.max()))
        counts = np.zeros_like(self._counts)
        if lowest == highest:
            counts[lowest] = len(values)
        else:
            places = np.searchsorted(self._bounds, values)
            counts += np.bincount(places, minlength=len(counts))
        total = float(values.sum())
        with self._lock:
            self._counts += counts
            self._sum += total

    def observe(self, value: float) -> None:
        """Add one value."""
        place = bisect_left(self._few_bounds, value)
        with self._lock:
            self._counts[place] += 1
            self._sum += value

    def collected(self) -> tuple[list[float], float]:
        """Number of observations up to each bound and of all of them, and their sum."""
        with self._lock:
            counts, total = self._counts.copy(), self._sum
        return np.cumsum(counts).astype(float).tolist(), total


class BatchHistogram(Collector):
    """A Prometheus histogram of ``Observations``, one for each set of label values."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float],
        registry: CollectorRegistry,
        scale: float = 1.0,
    ) -> None:
        """``buckets``: upper bounds, ascending and without infinity, in the metric's unit.

        ``scale``: observations per unit of the metric, 1000 if they are given in milliseconds.
        """
        self._name, self._documentation = name, documentation
        self._label_names = tuple(labels)
        self._buckets = [*(str(float(bound)) for bound in buckets), "+Inf"]
        scaled = np.array(buckets, np.float64) * scale
        whole = scaled.astype(np.int64)
        # Whole numbers are found among whole numbers in half of the time.
        self._bounds: Numbers = whole if (whole == scaled).all() else scaled
        self._scale = scale
        self._children: dict[tuple[str, ...], Observations] = {}
        self._lock = threading.Lock()
        registry.register(self)

    def labels(self, *values: str) -> Observations:
        """The observations under these values, in the order of the label names."""
        if len(values) != len(self._label_names):
            raise ValueError(f"{self._name} has the labels {self._label_names}, not {values}")
        found = self._children.get(values)
        if found is not None:
            return found
        with self._lock:
            return self._children.setdefault(values, Observations(self._bounds))

    def describe(self) -> Iterable[HistogramMetricFamily]:
        """The family without samples."""
        return [self._family()]

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """The family as it stands."""
        family = self._family()
        with self._lock:
            children = list(self._children.items())
        for values, child in children:
            up_to, total = child.collected()
            buckets = list(zip(self._buckets, up_to, strict=True))
            family.add_metric(values, buckets, total / self._scale)
        return [family]

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._documentation, labels=self._label_names)
