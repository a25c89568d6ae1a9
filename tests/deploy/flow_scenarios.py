"""What may happen to the servers and to the flow."""

from typing import Final

from tests.deploy.scenario import (
    BAD,
    CHECKPOINT_AGE,
    CONNECTED,
    CURSOR_AGE,
    GROUP_SCORE,
    LIKES,
    NEVER,
    PUBLISHED,
    ROW_AGE,
    SCORE_WORKERS,
    SINK_LAG,
    WEIGH_LAG,
    Scenario,
    no_canary,
    sink_waits,
    usual,
)
from tests.deploy.world import BEGINS, ENDS, World, ramp


def clickhouse_down() -> Scenario:
    world = World()
    for process in ("sink", "monitor"):
        world.set("renown_clickhouse_up", process, 0)
    world.set(ROW_AGE, "sink", ramp(1, 1_800))
    world.set(SINK_LAG, "sink", ramp(60, 150_000))
    sink_waits(world)
    return Scenario("ClickHouse down", world, usual("RenownClickHouseDown"))


def clickhouse_down_and_sink_restarted() -> Scenario:
    world = World()
    world.set("renown_clickhouse_up", "monitor", 0)
    world.set("renown_clickhouse_up", "sink", 0)
    world.down("sink", BEGINS + 3, ENDS + 0.5)
    sink_waits(world)
    return Scenario("ClickHouse down, the sink ends", world, usual("RenownClickHouseDown"))


def clickhouse_flaps() -> Scenario:
    world = World()
    for minute in range(BEGINS, ENDS, 2):
        world.set("renown_clickhouse_up", "monitor", 0, minute, minute + 0.5)
    world.set("renown_canary_last_seconds", "monitor", 25)
    return Scenario("ClickHouse comes and goes", world, usual("RenownClickHouseDown"))


def broker_down() -> Scenario:
    world = World()
    world.set("renown_broker_up", "monitor", 0)
    no_canary(world)
    for process in SCORE_WORKERS:
        world.set(CHECKPOINT_AGE, process, ramp(3, 1_800))
        world.count(LIKES, process, 0)
        # It was at work on much; nobody can say how much more there is now.
        world.set(WEIGH_LAG, process, 120_000, BEGINS - 1, ENDS + 1)
        world.set(WEIGH_LAG, process, ramp(120_000, 900), ENDS + 1, ENDS + 6)
        world.count('renown_holes_total{stage="score"}', process, 2, ENDS, ENDS + 4)
    world.set(SINK_LAG, "sink", 120_000, BEGINS - 1, ENDS + 1)
    world.set(SINK_LAG, "sink", ramp(120_000, 60), ENDS + 1, ENDS + 6)
    world.set(CURSOR_AGE, "bluesky", ramp(2, 1_800))
    world.set(CURSOR_AGE, "bluesky", ramp(1_800, 2), ENDS, ENDS + 10)
    for kind in PUBLISHED:
        world.count(kind, "bluesky", 0)
    return Scenario("broker down", world, usual("RenownBrokerDown"))


def broker_down_and_all_end() -> Scenario:
    world = World()
    world.set("renown_broker_up", "monitor", 0)
    no_canary(world)
    for process in (*SCORE_WORKERS, "sink", "bluesky"):
        world.down(process, BEGINS + 1, ENDS + 1)
    return Scenario("broker down, all that need it end", world, usual("RenownBrokerDown"))


def broker_down_before_anything_came() -> Scenario:
    world = World()
    world.forget(CURSOR_AGE, "bluesky")
    for kind in PUBLISHED:
        world.count(kind, "bluesky", 0, 0, ENDS + 1)
    world.set("renown_broker_up", "monitor", 0, 0, ENDS)
    no_canary(world, 0, ENDS)
    return Scenario(
        "broker down, little going on",
        world,
        {30: {"RenownBrokerDown"}, 49: {"RenownBrokerDown"}, 65: set()},
    )


def flood() -> Scenario:
    world = World()
    for process in SCORE_WORKERS:
        world.count(BAD, process, 400)
        world.set(WEIGH_LAG, process, ramp(900, 90_000))
        world.set(WEIGH_LAG, process, ramp(90_000, 900), ENDS, ENDS + 5)
    world.set("renown_canary_last_seconds", "monitor", 28)
    world.set(ROW_AGE, "sink", 70)
    return Scenario("flood of bad records", world, usual("RenownDeadLetterFlood"))


def flood_that_makes_canaries_late() -> Scenario:
    world = World()
    world.count(BAD, "score-1", 400)
    world.set("renown_canary_last_seconds", "monitor", 28)
    return Scenario("flood, canaries are late", world, usual("RenownDeadLetterFlood"))


def a_few_bad_records() -> Scenario:
    world = World()
    world.count(BAD, "score-1", 3)
    return Scenario("a few bad records among many good ones", world, NEVER)


def too_slow() -> Scenario:
    world = World()
    for process in SCORE_WORKERS:
        world.set(WEIGH_LAG, process, ramp(900, 400_000), BEGINS, 40)
        world.set(WEIGH_LAG, process, 400_000, 40, ENDS)
        world.set(WEIGH_LAG, process, ramp(400_000, 900), ENDS, ENDS + 12)
    no_canary(world, since=BEGINS + 3, until=ENDS + 11)
    fires = {BEGINS - 1: set(), 40: {"RenownLagHigh"}, 49: {"RenownLagHigh"}, 65: set()}
    return Scenario("score workers too slow", world, fires)


def replay_at_full_speed() -> Scenario:
    world = World()
    for process in SCORE_WORKERS:
        world.set(WEIGH_LAG, process, ramp(900, 120_000), BEGINS, BEGINS + 8)
        world.set(WEIGH_LAG, process, ramp(120_000, 900), BEGINS + 8, BEGINS + 28)
        world.count(LIKES, process, 5_000)
    world.set("renown_canary_last_seconds", "monitor", 25, BEGINS + 3, BEGINS + 20)
    return Scenario("replay at full speed", world, NEVER)


def sink_too_slow() -> Scenario:
    world = World()
    world.set(SINK_LAG, "sink", ramp(60, 400_000))
    world.set(SINK_LAG, "sink", ramp(400_000, 60), ENDS, ENDS + 8)
    world.set(ROW_AGE, "sink", 90)
    world.set("renown_canary_last_seconds", "monitor", 29, BEGINS, ENDS + 7)
    return Scenario("sink too slow", world, usual("RenownSinkBehind"))


def checkpoints_stuck() -> Scenario:
    world = World()
    world.set('renown_checkpoint_age_seconds{stage="score"}', "score-2", ramp(3, 1_800))
    world.set("renown_canary_last_seconds", "monitor", 25)
    return Scenario("checkpoints do not come through", world, usual("RenownCheckpointStale"))


def frames_missing() -> Scenario:
    world = World()
    world.count('renown_holes_total{stage="sink"}', "sink", 2)
    no_canary(world)
    fires = {BEGINS - 1: set(), 30: {"RenownHoles"}, 49: {"RenownHoles"}, 65: set()}
    return Scenario("frames are missing", world, fires)


def holes_around_a_restart() -> Scenario:
    world = World()
    world.down("score-2", BEGINS, BEGINS + 0.5)
    world.count('renown_holes_total{stage="sink"}', "sink", 2, BEGINS, BEGINS + 3)
    return Scenario("frames are sent again around a restart", world, NEVER)


def agent_falls_behind() -> Scenario:
    world = World()
    world.set(CURSOR_AGE, "bluesky", ramp(2, 1_800))
    world.set(CURSOR_AGE, "bluesky", ramp(1_800, 2), ENDS, ENDS + 15)
    fires = {BEGINS - 1: set(), 35: {"RenownAgentStale"}, 49: {"RenownAgentStale"}, 70: set()}
    return Scenario("agent falls behind", world, fires)


def network_away() -> Scenario:
    world = World()
    world.set(CONNECTED, "bluesky", 0)
    world.set(CURSOR_AGE, "bluesky", ramp(2, 1_800))
    world.set(CURSOR_AGE, "bluesky", ramp(1_800, 2), ENDS, ENDS + 10)
    for kind in PUBLISHED:
        world.count(kind, "bluesky", 0)
    return Scenario(
        "network away", world, {19: set(), 35: {"RenownAgentStale"}, 49: {"RenownAgentStale"}}
    )


def nothing_fits() -> Scenario:
    world = World()
    for kind in PUBLISHED:
        world.count(kind, "bluesky", 0, BEGINS, 70)
    return Scenario(
        "the network sends and nothing of it is an interaction",
        world,
        {30: set(), 45: {"RenownNoEvents"}, 69: {"RenownNoEvents"}, 75: set()},
    )


def quiet_network() -> Scenario:
    world = World()
    for kind in PUBLISHED:
        world.count(kind, "bluesky", 0, BEGINS, BEGINS + 12)
    return Scenario("the network is quiet for a while", world, NEVER)


def canary_slow() -> Scenario:
    world = World()
    world.set("renown_canary_last_seconds", "monitor", 27)
    return Scenario("canary slow for no known reason", world, usual("RenownCanarySlow"))


def worker_hangs() -> Scenario:
    world = World()
    for process in SCORE_WORKERS:
        world.count(LIKES, process, 0)
    world.set(GROUP_SCORE, "monitor", ramp(2_000, 300_000))
    no_canary(world)
    return Scenario("score workers hang", world, usual("RenownCanarySlow"))


def healthy() -> Scenario:
    return Scenario("all is well", World(), NEVER)


FLOW_SCENARIOS: Final = (
    healthy,
    clickhouse_down,
    clickhouse_down_and_sink_restarted,
    clickhouse_flaps,
    broker_down,
    broker_down_and_all_end,
    broker_down_before_anything_came,
    flood,
    flood_that_makes_canaries_late,
    a_few_bad_records,
    too_slow,
    replay_at_full_speed,
    sink_too_slow,
    checkpoints_stuck,
    frames_missing,
    holes_around_a_restart,
    agent_falls_behind,
    network_away,
    nothing_fits,
    quiet_network,
    canary_slow,
    worker_hangs,
)
