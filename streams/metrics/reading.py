"""Metrics whose values are read from live objects at the moment somebody asks for them."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

log = logging.getLogger("renown.metrics")

Values = Mapping[tuple[str, ...], float]
"""Label values → value."""


class Reading(Collector):
    """A gauge, or with ``counter`` a counter, that calls ``read`` for each scrape.

    ``read`` runs in the thread of the scrape, beside the event loop: it copies what the loop may
    change before it goes through it, and asks for nothing that waits. If it fails, this metric is
    missing from the scrape and the others are not.
    """

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str] = (),
        *,
        registry: CollectorRegistry,
        counter: bool = False,
    ) -> None:
        self.read: Callable[[], Values] = dict
        self._name, self._documentation = name, documentation
        self._labels = tuple(labels)
        self._kind = CounterMetricFamily if counter else GaugeMetricFamily
        self._failed = False
        registry.register(self)

    def describe(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """The family without samples."""
        return [self._family()]

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """The family as ``read`` gives it now."""
        family = self._family()
        try:
            for labels, value in self.read().items():
                family.add_metric(labels, value)
        except Exception as error:  # one metric must not take the others along
            if not self._failed:
                self._failed = True
                log.warning("%s cannot be read: %s: %s", self._name, type(error).__name__, error)
            return [self._family()]
        return [family]

    def _family(self) -> CounterMetricFamily | GaugeMetricFamily:
        return self._kind(self._name, self._documentation, labels=self._labels)


def alone(read: Callable[[], float]) -> Callable[[], Values]:
    """A reader of the one value of a metric without labels."""
    return lambda: {(): read()}
