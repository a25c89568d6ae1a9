"""What befalls a running world, one fault at a time."""

import random
import time
from collections.abc import Callable
from typing import Final

from renown.embedded.broker import EmbeddedBroker
from streams.engine.crash_points import Point
from tests.crash.world import PARTITIONS, World
from tests.support.apache_kafka import ApacheKafka
from tests.support.days import DAY_POINTS
from tests.support.kafka_cluster import KafkaCluster
from tests.support.stack import wait_until

Fault = Callable[[World, random.Random], str]
"""Does it, and says what was done."""

_BEYOND_SESSION_SECONDS = 3.0
_AWAY_SECONDS = 8.0
_POINT_SECONDS = 30.0
_CHANGELOGS = ("renown-weigh-changelog", "renown-score-changelog")
_MOST_HOURS = 40
_ALL_HOURS = 92 * 24
_SHORT_JUMPS = 0.75
_GUEST = "score-3"
_LED = ("interactions.like", "weighed", "scores", *_CHANGELOGS, "__consumer_offsets")
_LONGEST_WITHOUT_LEADER = 20.0


def _a_scorer(world: World, pick: random.Random) -> str:
    return pick.choice(sorted(name for name in world.workers if name != "sink"))


def kill_scorer(world: World, pick: random.Random) -> str:
    """SIGKILL to one score worker."""
    name = _a_scorer(world, pick)
    world.kill(name)
    return f"kill -9 {name}"


def kill_all_scorers(world: World, _pick: random.Random) -> str:
    """SIGKILL to all score workers."""
    for name in [name for name in world.workers if name != "sink"]:
        world.kill(name)
    return "kill -9 all score workers"


def kill_sink(world: World, _pick: random.Random) -> str:
    """SIGKILL to the sink."""
    world.kill("sink")
    return "kill -9 sink"


def scorer_stands_still(world: World, pick: random.Random) -> str:
    """SIGSTOP for longer than the group's session, then SIGCONT: a zombie."""
    name = _a_scorer(world, pick)
    world.stand_still(name, world.session_seconds + _BEYOND_SESSION_SECONDS)
    return f"{name} stands still beyond its session"


def scorer_dozes(world: World, pick: random.Random) -> str:
    """SIGSTOP for about as long as the group's session."""
    name, seconds = _a_scorer(world, pick), world.session_seconds * pick.uniform(0.3, 1.2)
    world.stand_still(name, seconds)
    return f"{name} stands still for {seconds:.1f} s"


def sink_stands_still(world: World, _pick: random.Random) -> str:
    """SIGSTOP to the sink for longer than its session while another one takes over."""
    world.start_worker("sink-2")
    world.stand_still("sink", world.session_seconds + _BEYOND_SESSION_SECONDS)
    world.stop_worker("sink-2")
    return "sink stands still, another one writes"


def restart_broker(world: World, _pick: random.Random) -> str:
    """SIGKILL to the broker, which comes back with its logs."""
    if not isinstance(world.broker, ApacheKafka):
        raise TypeError("this broker loses its logs")
    world.broker.kill_and_restart()
    return "kill -9 broker"


def lose_leader(world: World, pick: random.Random) -> str:
    """SIGKILL to the broker that leads a partition in use, which comes back after a while."""
    if not isinstance(world.broker, KafkaCluster):
        raise TypeError("this broker has no others that could lead in its place")
    topic, partition = pick.choice(_LED), pick.randrange(PARTITIONS)
    seconds = pick.uniform(0.0, _LONGEST_WITHOUT_LEADER)
    node = world.broker.leader(topic, partition)
    world.broker.kill(node)
    time.sleep(seconds)
    world.broker.restart(node)
    return f"kill -9 broker {node}, which leads {topic} {partition}; back after {seconds:.1f} s"


def fill_disk(world: World, pick: random.Random) -> str:
    """No byte can be stored of checkpoints; Apache Kafka ends of it, and comes back afterwards."""
    if world.disk is None:
        raise TypeError("this world has no disk that could be full")
    seconds, broker = pick.uniform(2.0, 8.0), world.broker
    world.disk.fill()
    time.sleep(seconds)
    ended = world.revive()
    time.sleep(seconds)
    world.disk.make_room()
    if isinstance(broker, ApacheKafka) and not broker.node.running:
        ended.append("broker")
        broker.kill_and_restart()
    return f"disk full for {2 * seconds:.0f} s, ended: {', '.join(ended) or 'nothing'}"


def kill_database(world: World, _pick: random.Random) -> str:
    """SIGKILL to ClickHouse."""
    world.kill_database()
    return "kill -9 ClickHouse"


def database_away(world: World, _pick: random.Random) -> str:
    """ClickHouse stops and comes back."""
    world.database.stop()
    time.sleep(_AWAY_SECONDS)
    world.database.start()
    return f"ClickHouse away for {_AWAY_SECONDS:.0f} s"


def rebalance(world: World, _pick: random.Random) -> str:
    """A third score worker comes, or goes if it is there."""
    if _GUEST in world.workers:
        world.stop_worker(_GUEST)
        return f"{_GUEST} leaves"
    world.start_worker(_GUEST)
    return f"{_GUEST} joins"


def clock_jumps(world: World, pick: random.Random) -> str:
    """Event time goes on much later, at times so late that nothing counts any longer."""
    hours = pick.randrange(2, _MOST_HOURS) if pick.random() < _SHORT_JUMPS else _ALL_HOURS
    world.load.jump(hours)
    world.kill(_a_scorer(world, pick))
    return f"event time jumps by {hours} h, kill -9 a score worker"


def dies_at_point(world: World, pick: random.Random) -> str:
    """A worker dies at one of the named points, once it comes by."""
    point, times = (
        pick.choice([point for point in Point if point not in DAY_POINTS]),
        pick.randrange(1, 4),
    )
    name = "sink" if point.value.startswith("sink") else _a_scorer(world, pick)
    if point.value.startswith("recovery"):
        times = 1
    doomed = world.start_worker(name, crash_at=f"{point.value}:{times}").process
    try:
        wait_until(lambda: doomed.poll() is not None, _POINT_SECONDS, "death")
    except AssertionError:
        return f"{name} did not come by {point.value} {times} times"
    return f"{name} dies at {point.value} the {times}. time"


_EVERYWHERE: Final[tuple[Fault, ...]] = (
    kill_scorer,
    kill_scorer,
    kill_all_scorers,
    kill_sink,
    scorer_stands_still,
    scorer_dozes,
    sink_stands_still,
    kill_database,
    database_away,
    rebalance,
    clock_jumps,
    dies_at_point,
    dies_at_point,
)


def faults_of(world: World) -> tuple[Fault, ...]:
    """What can befall this world; the likelier ones more than once."""
    faults = (*_EVERYWHERE, fill_disk) if world.disk else _EVERYWHERE
    if isinstance(world.broker, EmbeddedBroker):
        return faults  # its logs do not outlive its process
    if isinstance(world.broker, KafkaCluster):
        return (*faults, *(lose_leader,) * 4)
    return (*faults, restart_broker)
