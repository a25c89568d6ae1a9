"""What may happen to the processes of a stack."""

from typing import Final

from tests.deploy.scenario import (
    CHECKPOINT_AGE,
    CONNECTED,
    CURSOR_AGE,
    GROUP_SCORE,
    LIKES,
    NEVER,
    PUBLISHED,
    SCORE_WORKERS,
    SINK_LAG,
    STARTED,
    WEIGH_LAG,
    Scenario,
    no_canary,
    sink_waits,
    usual,
)
from tests.deploy.world import BEGINS, ENDS, MINUTES, PROCESSES, World, ramp


def score_worker_stopped() -> Scenario:
    world = World()
    world.down("score-2")
    for turn in (BEGINS, ENDS):  # the partitions move, which takes a moment
        world.set("renown_canary_last_seconds", "monitor", 22, turn, turn + 2)
        world.set(WEIGH_LAG, "score-1", ramp(9_000, 900), turn, turn + 2)
    return Scenario("one of two score workers stopped", world, usual("RenownScoreWorkerDown"))


def score_worker_stopped_under_load() -> Scenario:
    world = World()
    world.down("score-2")
    world.set(WEIGH_LAG, "score-1", ramp(900, 400_000))  # too much for one
    world.set(WEIGH_LAG, "score-1", ramp(400_000, 900), ENDS, ENDS + 8)
    world.set(CHECKPOINT_AGE, "score-1", 150, BEGINS, BEGINS + 6)  # it takes over a large state
    no_canary(world, until=ENDS + 7)
    return Scenario("one of two stopped under load", world, usual("RenownScoreWorkerDown"))


def every_score_worker_stopped() -> Scenario:
    world = World()
    for process in SCORE_WORKERS:
        world.down(process)
        world.set(WEIGH_LAG, process, ramp(250_000, 900), ENDS, ENDS + 15)
    world.set(GROUP_SCORE, "monitor", ramp(2_000, 500_000))
    world.set(GROUP_SCORE, "monitor", ramp(500_000, 2_000), ENDS, ENDS + 15)
    no_canary(world, until=ENDS + 14)
    return Scenario("every score worker stopped", world, usual("RenownScoreWorkerDown"))


def score_worker_keeps_ending() -> Scenario:
    world = World()
    for minute in range(BEGINS, ENDS, 2):
        world.down("score-1", minute, minute + 0.5)
        world.set(STARTED, "score-1", 60.0 * minute, minute + 0.5, MINUTES + 1)
    return Scenario("a score worker keeps ending", world, usual("RenownScoreWorkerDown"))


def sink_stopped() -> Scenario:
    world = World()
    world.down("sink")
    sink_waits(world)
    return Scenario("sink stopped", world, usual("RenownSinkDown"))


def sink_stopped_for_long() -> Scenario:
    world = World()
    world.down("sink")
    sink_waits(world, drained=ENDS + 25)
    world.set("renown_canary_age_seconds", "monitor", ramp(1_800, 3_200), ENDS, ENDS + 22)
    return Scenario("sink stopped, its backlog takes long", world, usual("RenownSinkDown"))


def one_of_two_sinks_stopped() -> Scenario:
    world = World({**PROCESSES, "sink-2": "renown-sink"})
    world.down("sink-2")
    world.set(SINK_LAG, "sink", ramp(60, 400_000))  # too much for one
    world.set(SINK_LAG, "sink", ramp(400_000, 60), ENDS, ENDS + 8)
    no_canary(world, until=ENDS + 7)
    return Scenario("one of two sinks stopped", world, usual("RenownSinkDown"))


def sink_keeps_ending() -> Scenario:
    world = World()
    for minute in range(BEGINS, ENDS, 2):
        world.down("sink", minute, minute + 0.5)
        world.set(STARTED, "sink", 60.0 * minute, minute + 0.5, MINUTES + 1)
    no_canary(world)
    return Scenario("sink keeps ending", world, usual("RenownSinkDown"))


def sink_restarted() -> Scenario:
    world = World()
    world.down("sink", BEGINS, BEGINS + 0.5)
    world.set(SINK_LAG, "sink", ramp(3_000, 60), BEGINS + 0.5, BEGINS + 1)
    return Scenario("sink started again", world, NEVER)


def agent_stopped() -> Scenario:
    world = World()
    world.down("bluesky")
    world.set(CURSOR_AGE, "bluesky", ramp(1_800, 2), ENDS, ENDS + 15)
    return Scenario("agent stopped", world, usual("RenownAgentDown"))


def agent_takes_long_to_start() -> Scenario:
    world = World()
    world.down("bluesky")
    for kind in PUBLISHED:
        world.count(kind, "bluesky", 0, BEGINS, ENDS + 8)
    return Scenario("agent stopped, takes long to start", world, usual("RenownAgentDown"))


def agent_keeps_ending() -> Scenario:
    world = World()
    for minute in range(BEGINS, ENDS, 3):
        world.down("bluesky", minute, minute + 0.5)
        world.set(STARTED, "bluesky", 60.0 * minute, minute + 0.5, MINUTES + 1)
        world.set(CONNECTED, "bluesky", 0, minute + 0.5, minute + 3)
    for kind in PUBLISHED:
        world.count(kind, "bluesky", 0)
    return Scenario("agent keeps ending", world, usual("RenownAgentDown"))


def agent_never_started() -> Scenario:
    world = World()
    world.down("bluesky", 0, MINUTES + 1)
    return Scenario("agent that is listed and was never started", world, NEVER)


def no_agent() -> Scenario:
    world = World()
    world.remove("bluesky")
    for process in SCORE_WORKERS:
        world.count(LIKES, process, 0, 0, MINUTES + 1)
    world.set("renown_canary_age_seconds", "monitor", 0, 0, MINUTES + 1)
    return Scenario("stack without an agent and without events", world, NEVER)


def monitor_stopped() -> Scenario:
    world = World()
    world.down("monitor")
    world.set("renown_canary_age_seconds", "monitor", ramp(0, 4), ENDS, ENDS + 1)
    return Scenario("monitor stopped", world, usual("RenownMonitorDown"))


def monitor_keeps_ending() -> Scenario:
    world = World()
    for minute in range(BEGINS, ENDS, 2):
        world.down("monitor", minute, minute + 0.5)
        world.set(STARTED, "monitor", 60.0 * minute, minute + 0.5, MINUTES + 1)
    return Scenario("the monitor keeps ending", world, usual("RenownMonitorDown"))


PROCESS_SCENARIOS: Final = (
    score_worker_stopped,
    score_worker_stopped_under_load,
    every_score_worker_stopped,
    score_worker_keeps_ending,
    sink_stopped,
    sink_stopped_for_long,
    one_of_two_sinks_stopped,
    sink_keeps_ending,
    sink_restarted,
    agent_stopped,
    agent_takes_long_to_start,
    agent_keeps_ending,
    agent_never_started,
    no_agent,
    monitor_stopped,
    monitor_keeps_ending,
)
