"""Made-up worlds for tests: events of a timeline, and what weighing makes of them."""

from collections import Counter

from agents.sources.generate import Generate, GenerateReport, Pacing
from agents.world.ledger import Event
from agents.world.timeline import Timeline
from agents.world.world import World, WorldOptions
from schemas.model import load_model
from schemas.topics import INTERACTION_TOPICS
from streams.core.weigh import WeighSource
from tests.support.publishing import NOW, MemoryOutlet, StillClock

DAY_MS = 86_400_000
START = NOW - 30 * DAY_MS
PARTITIONS = 4


def world(seed: int = 1, *, rate: float = 50.0, **options: float) -> World:
    """A small world that began 30 days before NOW, at 50 events a second."""
    given = {"start": START, "accounts": 2_000, **options}
    return World(WorldOptions(seed=seed, rate=rate, **given))  # type: ignore[arg-type]


def history(made: World, count: int) -> list[tuple[int, Event]]:
    """The first ``count`` events and the times of their delivery, counted in the ledger."""
    timeline = Timeline(made)
    found: list[tuple[int, Event]] = []
    while len(found) < count:
        found += timeline.next()
    for _at, event in found[:count]:
        made.ledger.add(event)
    return found[:count]


def published(made: World, events: int) -> tuple[MemoryOutlet, GenerateReport]:
    """A run of so many events, as fast as they come."""
    outlet = MemoryOutlet(PARTITIONS)
    source = Generate(made, outlet, pacing=Pacing.HISTORY, events=events, clock=StillClock(0.001))
    return outlet, source.run()


def weighed(outlet: MemoryOutlet) -> tuple[Counter[str], Counter[str]]:
    """Outcome → records and kind → accepted, as weighing decides them."""
    totals: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    for (topic, partition), records in outlet.logs().items():
        if topic not in INTERACTION_TOPICS:
            continue
        source = WeighSource(topic, partition, PARTITIONS, load_model(), horizon=1 << 18)
        source.apply(records, len(records) - 1)
        totals.update(source.totals)
        accepted[topic.value.removeprefix("interactions.")] += source.totals["accepted"]
    return totals, accepted
