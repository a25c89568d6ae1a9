"""A scenario: what happens to a stack, and which alerts that must raise; as promtool tests it."""

from dataclasses import dataclass, field
from typing import Any, Final

from tests.deploy.world import BEGINS, ENDS, MINUTES, World, notation, ramp

LIKES: Final = 'renown_events_total{stage="weigh",topic="interactions.like",outcome="accepted"}'
WEIGH_LAG: Final = 'renown_consumer_lag{stage="weigh",topic="interactions.like",partition="0"}'
SINK_LAG: Final = 'renown_consumer_lag{stage="sink",topic="weighed",partition="0"}'
GROUP_SCORE: Final = 'renown_group_lag{group="renown-score",topic="interactions.like"}'
GROUP_SINK: Final = 'renown_group_lag{group="renown-sink",topic="weighed"}'
CURSOR_AGE: Final = 'renown_agent_cursor_age_seconds{network="bluesky"}'
CONNECTED: Final = 'renown_agent_connected{network="bluesky"}'
PUBLISHED: Final = tuple(
    f'renown_agent_published_total{{network="bluesky",kind="{kind}"}}'
    for kind in ("like", "retweet")
)
CHECKPOINT_AGE: Final = 'renown_checkpoint_age_seconds{stage="weigh"}'
STARTED: Final = "process_start_time_seconds"
BAD: Final = 'renown_dead_letters_total{reason="not JSON"}'
ROW_AGE: Final = "renown_sink_oldest_row_age_seconds"
SCORE_WORKERS: Final = ("score-1", "score-2")


@dataclass(frozen=True)
class Scenario:
    """``fires``: minute → the alerts that must fire then. No others may at any time."""

    name: str
    world: World
    fires: dict[int, set[str]] = field(default_factory=dict)

    @property
    def alerts(self) -> set[str]:
        """Every alert that it raises."""
        return set().union(*self.fires.values())

    def promtool(self) -> dict[str, Any]:
        """As a unit test of promtool."""
        ever = (
            'count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[2h]) > 0) > bool 0'
        )
        now = 'count by (alertname) (ALERTS{alertstate="firing"}) > bool 0'
        asked = [(now, minute, alerts) for minute, alerts in sorted(self.fires.items())]
        return {
            "rule_files": ["../rules/recording.yml", "../rules/alerts.yml"],
            "evaluation_interval": "30s",
            "group_eval_order": [
                *("renown-limits", "renown-flow", "renown-symptoms", "renown-troubles"),
                *("renown-processes", "renown-servers", "renown-flow-alerts"),
            ],
            "tests": [
                {
                    "name": self.name,
                    "interval": "30s",
                    "input_series": [
                        {"series": series, "values": notation(values)}
                        for series, values in self.world.series.items()
                    ],
                    "promql_expr_test": [
                        {
                            "expr": expression,
                            "eval_time": f"{minute}m",
                            "exp_samples": [
                                {"labels": f'{{alertname="{alert}"}}', "value": 1}
                                for alert in sorted(alerts)
                            ],
                        }
                        for expression, minute, alerts in [*asked, (ever, MINUTES, self.alerts)]
                    ],
                }
            ],
        }


def usual(*alerts: str) -> dict[int, set[str]]:
    """Alerts that fire while it is wrong, and neither before nor long after."""
    return {BEGINS - 1: set(), 30: set(alerts), ENDS - 1: set(alerts), 65: set(), MINUTES: set()}


NEVER: Final[dict[int, set[str]]] = {30: set()}


def no_canary(world: World, since: float = BEGINS, until: float = ENDS) -> None:
    """Canaries do not arrive; the first one afterwards took as long as it was sent late."""
    world.set(
        "renown_canary_age_seconds", "monitor", ramp(5, 60 * (until - since)), since, until + 1
    )
    world.set("renown_canary_last_seconds", "monitor", 30, until + 1, until + 2)


def sink_waits(world: World, *, drained: float = ENDS + 3) -> None:
    """The sink stores nothing, then works off what has come together."""
    world.set(GROUP_SINK, "monitor", ramp(300, 150_000))
    world.set(GROUP_SINK, "monitor", ramp(150_000, 300), ENDS, drained)
    world.set(SINK_LAG, "sink", ramp(150_000, 60), ENDS, drained)
    no_canary(world)
