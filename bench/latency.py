"""Latency from produce to the first ``ScoreUpdate`` that covers an event, and to its row.

The load is encoded beforehand, down to the batches, and sent at a fixed schedule by a process of
its own. An event's time counts from when it was due, so whatever keeps the sender waiting counts
too (no coordinated omission). It is covered by the first update of its target that counts as many
interactions as had been sent to that target with it, and stored when the sink's progress, which is
written behind the rows, has passed its offset. ``quiet``: only events of accounts that got none in
the second before (one that changes all the time is published every 0.25 s, on purpose).
"""

import multiprocessing
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from confluent_kafka import Consumer

from bench.broker import Broker, empty_broker
from bench.common import DATA, PARTITIONS, header, percentiles, read_result, say, write_result
from bench.engine import Worker, compile_kernels
from bench.load import Event, Load, events_of
from bench.sending import Sent, send, slots_of
from config.errors import RenownError
from config.settings import ClickHouseAddress
from renown.embedded.clickhouse import EmbeddedClickHouse
from schemas.partitioner import partition_of
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.sinks.client import Database
from streams.sinks.migrate import migrate

NAME: Final = "latency"
SPREAD_BELOW: Final = 10_000
"""Events a second below which every account is a target as often as any other."""

_WARM_SECONDS: Final = 20.0
"""Until the broker's Java is compiled and the score worker's tables have their size."""
_DRAIN_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.1
_AHEAD_SECONDS: Final = 2.0
_QUIET_SECONDS: Final = 1.0
_PROGRESS: Final = """SELECT toUnixTimestamp64Milli(stored) / 1000, partition, source_topics,
    source_partitions, applied FROM sink_progress
    WHERE topic = 'weighed' AND stored >= fromUnixTimestamp64Milli({since})"""

Times = npt.NDArray[np.float64]


class _Update(msgspec.Struct):
    """What is read of a ``ScoreUpdate``."""

    profile: str
    interactions: tuple[int, ...]


class Stored(NamedTuple):
    """At ``at`` (s since 1970) everything of a source up to ``applied`` was stored."""

    at: float
    applied: int


def run(rates: Sequence[int], seconds: float, folder: Path, *, sink: bool) -> dict[str, Any]:
    """Measure at each rate; results of other rates that ``folder`` holds are kept."""
    result = read_result(NAME, folder) or {"runs": {}}
    result = {**header(NAME), "runs": result["runs"]}
    for rate in rates:
        say(f"latency at {rate:,} events/s: begins")
        figures = _measure(rate, seconds, sink=sink)
        say(f"latency at {rate:,} events/s: {figures}")
        result["runs"][str(rate)] = figures
        write_result(NAME, result, folder)
    return result


def _measure(rate: int, seconds: float, *, sink: bool) -> dict[str, Any]:
    load = Load(
        events=int(rate * (seconds + _WARM_SECONDS)),
        days=(seconds + _WARM_SECONDS) / 86_400,
        skew=0.0 if rate < SPREAD_BELOW else 1.25,
        hot=0.0 if rate < SPREAD_BELOW else 0.03,
        duplicates=0.0,
        seed=int(time.time()),
    )
    compile_kernels()
    events = list(events_of(load))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(empty_broker())
        broker.create([topic.value for topic in INTERACTION_TOPICS])
        database = stack.enter_context(_database(folder)) if sink else None
        workers = [stack.enter_context(Worker("score", broker.address, folder))]
        if database:
            url = f"clickhouse://default@{database.address.host}:{database.address.port}/default"
            workers.append(
                stack.enter_context(Worker("sink", broker.address, folder, clickhouse=url))
            )
        for worker in workers:
            worker.wait_ready()
        before, began = workers[0].processor(), time.monotonic()
        figures = _watch(broker, database, events, rate)
        busy = (workers[0].processor() - before) / (time.monotonic() - began)
        return {**figures, "score_worker_cores": round(busy, 2)}


def _watch(
    broker: Broker, database: Database | None, events: list[Event], rate: int
) -> dict[str, Any]:
    """Send, listen, and put the two together."""
    slots = slots_of(events, rate)
    ours, theirs = multiprocessing.Pipe()
    begin = time.time() + _AHEAD_SECONDS
    context = multiprocessing.get_context("fork")  # the batches are shared, not copied
    sender = context.Process(target=send, args=(broker.address, slots, begin, theirs))
    sender.start()
    progress = _Progress(database, begin) if database else None
    until = begin + len(events) / rate + _DRAIN_SECONDS
    updates = _updates(broker.address, until, len(events))
    sender.join(30)
    if not ours.poll():
        raise RenownError("the sender ended without a word")
    sent: Sent = ours.recv()
    due = begin + np.arange(len(events)) / rate
    counted = due >= begin + _WARM_SECONDS
    covered = _covered(events, updates) - due
    figures: dict[str, Any] = {
        "events": int(counted.sum()),
        "sender_late_seconds": round(sent.largest_delay, 3),
        "updates": len(updates),
        "to_scores": _spread(covered[counted]),
        "to_scores_quiet": _spread(covered[counted & _quiet(events, due)]),
    }
    if progress:
        figures["to_row"] = _spread((progress.stored(events) - due)[counted])
    return figures


def _updates(kafka: str, until: float, wanted: int) -> list[tuple[float, str, int]]:
    """(time of receipt, profile, interactions) of what appears in ``scores`` until it is quiet."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "bench-latency",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 5,
            "log_level": 0,
        }
    )
    consumer.subscribe([Topic.SCORES.value])
    heard: list[tuple[float, bytes]] = []
    quiet_since = time.time()
    sent_all = until - _DRAIN_SECONDS
    while (now := time.time()) < until:
        messages = consumer.consume(10_000, 0.01)
        if messages:
            quiet_since = now
            heard += [(time.time(), message.value()) for message in messages]
        elif now > sent_all and now - quiet_since > 3 * _QUIET_SECONDS:
            break
    consumer.close()
    say(f"{len(heard):,} updates of {wanted:,} events received")
    decode = msgspec.json.Decoder(_Update).decode
    decoded = ((at, decode(value)) for at, value in heard if value)
    return [(at, update.profile, update.interactions[-1]) for at, update in decoded]


def _covered(events: Sequence[Event], updates: Sequence[tuple[float, str, int]]) -> Times:
    """When each event was covered, in s since 1970; infinity if never."""
    known: dict[bytes, tuple[list[float], list[int]]] = defaultdict(lambda: ([], []))
    for at, profile, count in updates:
        times, counts = known[profile.encode()]
        if not counts or count > counts[-1]:
            times.append(at)
            counts.append(count)
    arrays = {name: (np.array(t), np.array(c)) for name, (t, c) in known.items()}
    result = np.full(len(events), np.inf)
    sent: dict[bytes, list[int]] = defaultdict(list)
    for number, event in enumerate(events):
        sent[event.target].append(number)
    for target, numbers in sent.items():
        if target not in arrays:
            continue
        moments, reached_counts = arrays[target]
        place = np.searchsorted(reached_counts, np.arange(1, len(numbers) + 1))
        reached = place < len(moments)
        result[np.array(numbers)[reached]] = moments[place[reached]]
    return result


def _quiet(events: Sequence[Event], due: Times) -> npt.NDArray[np.bool_]:
    """Which events met an account that had been quiet for a second."""
    last: dict[bytes, float] = {}
    result = np.empty(len(events), bool)
    for number, event in enumerate(events):
        at = float(due[number])
        result[number] = at - last.get(event.target, 0.0) > _QUIET_SECONDS
        last[event.target] = at
    return result


def _spread(seconds: Times) -> dict[str, float]:
    """Percentiles of what arrived, and how many did not."""
    arrived = seconds[np.isfinite(seconds)]
    missing = len(seconds) - len(arrived)
    return {**(percentiles(arrived.tolist()) if len(arrived) else {}), "missing": missing}


class _Progress:
    """Reads the sink's progress while it is written."""

    def __init__(self, database: Database, begin: float) -> None:
        self._database = database
        self._found: dict[tuple[int, str, int], list[Stored]] = defaultdict(list)
        self._since = begin
        self._going = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def stored(self, events: Sequence[Event]) -> Times:
        """When the row of each event was stored, in s since 1970; infinity if never."""
        self._going = False
        self._thread.join(10)
        arrays = {}
        for key, found in self._found.items():
            found.sort()
            reached = np.maximum.accumulate(np.array([each.applied for each in found]))
            arrays[key] = (np.array([each.at for each in found]), reached)
        following: dict[tuple[int, int], int] = defaultdict(int)
        result = np.full(len(events), np.inf)
        for number, event in enumerate(events):
            source = (event.kind, event.partition)
            offset = following[source]
            following[source] += 1
            topic = INTERACTION_TOPICS[event.kind].value
            key = (partition_of(event.target.decode(), PARTITIONS), topic, event.partition)
            if key in arrays:
                times, reached = arrays[key]
                place = int(np.searchsorted(reached, offset))
                if place < len(times):
                    result[number] = times[place]
        return result

    def _read(self) -> None:
        while self._going:
            time.sleep(_POLL_SECONDS)
            query = _PROGRESS.format(since=int(1000 * self._since))
            for at, partition, topics, partitions, applied in self._database.query(query):
                self._since = max(self._since, float(at))
                for topic, part, reached in zip(topics, partitions, applied, strict=True):
                    self._found[partition, topic, part].append(Stored(float(at), reached))


@contextmanager
def _database(folder: Path) -> Iterator[Database]:
    """An embedded ClickHouse with its tables."""
    DATA.mkdir(parents=True, exist_ok=True)
    with (
        EmbeddedClickHouse(folder / "clickhouse") as server,
        Database(ClickHouseAddress.parse(server.address)) as database,
    ):
        migrate(database)
        yield database
