"""A world of several days with weigh and score partitions, taken step by step in any order.

Logs are lists. Every step is one that a worker could take next; ``crash`` puts a partition back to
its last checkpoint, as a new owner finds it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from types import ModuleType

import msgspec
import numpy as np

from schemas.frames import Frame
from schemas.interaction import Heartbeat, Interaction
from schemas.kinds import KIND_INDEX, KINDS, Kind
from schemas.model import Model, load_model
from schemas.partitioner import partition_of
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.core.days import DAY_MS, HOURS, day_of
from streams.core.records import Record
from streams.core.score import ScorePartition
from streams.core.weigh_partition import WeighPartition
from streams.engine.crash_points import Point
from streams.sinks.progress import Progress
from tests.support.interactions import HOUR, account_in, interaction, record

PARTITIONS = 2
ACCOUNTS = [account_in(p, PARTITIONS, name) for p in range(PARTITIONS) for name in "abcd"]
FIRST_DAY = 19_000
OFTEN = msgspec.structs.replace(
    load_model(2), tiers=(9, 16, 20), sel=(2, 5), fresh_h=48
)  # few interactions go far
DAY_POINTS = frozenset({Point.WEIGH_DAY_TURNED, Point.WEIGH_DAY_KEPT, Point.SCORE_DAY_SENT})
"""Where a worker comes by only if classes differ between actors."""
_NEVER_IDLE = 1e9

Message = Interaction | Heartbeat
Logs = dict[tuple[Topic, int], list[Message]]
Key = tuple[Topic, int, int]
"""Topic, partition and offset of an interaction."""


class World:
    """All partitions of weigh and score, between logs that only grow."""

    def __init__(self, logs: Logs, model: Model = OFTEN) -> None:
        self.model = model
        self.inputs = {s: [record(o, m) for o, m in enumerate(log)] for s, log in logs.items()}
        self.weighed: list[list[Frame]] = [[] for _ in range(PARTITIONS)]
        self.standing: list[list[Record]] = [[] for _ in range(PARTITIONS)]
        self.kept: dict[tuple[str, int], list[dict[str, object]]] = defaultdict(list)
        self.now = 0.0
        self.owners = 0
        self.weigh = [self._new_weigh(p) for p in range(PARTITIONS)]
        self.score = [self._new_score(p) for p in range(PARTITIONS)]

    def _new_weigh(self, partition: int) -> WeighPartition:
        held = self.kept["weigh", partition]
        needed = held[-1]["oldest"] if held else 0
        snapshots = [h["state"] for h in held if h["number"] >= needed]  # type: ignore[operator]
        return WeighPartition(partition, PARTITIONS, self.model, 1000, snapshots)  # type: ignore[arg-type]

    def _new_score(self, partition: int) -> ScorePartition:
        held = self.kept["score", partition]
        options = {"once": True, "idle_seconds": _NEVER_IDLE, "partitions": PARTITIONS}
        if held:
            needed = held[-1]["oldest"]
            snapshots = [h["state"] for h in held if h["number"] >= needed]  # type: ignore[operator]
            state = ScorePartition.restore(snapshots, self.model, **options)  # type: ignore[arg-type]
        else:
            state = ScorePartition(partition, self.model, **options)  # type: ignore[arg-type]
        self.owners += 1
        state.epoch = self.owners
        return state

    def read(self, topic: Topic, partition: int, most: int) -> bool:
        """Weigh some records of a source, if it may go on."""
        state = self.weigh[partition]
        start = state.positions()[topic.value]
        records = self.inputs.get((topic, partition), [])[start : start + most]
        if state.waits(topic) or not records:
            return False
        derived = state.apply(topic, records, records[-1].offset, self._tick())
        assert not derived.dead
        self._send(derived.frames)
        return True

    def insist(self, partition: int) -> None:
        """Sources that wait say so again."""
        self._send(self.weigh[partition].insist(self._tick()))

    def score_frames(self, partition: int, most: int) -> bool:
        """Apply some frames."""
        state = self.score[partition]
        start = state.position + 1
        frames = self.weighed[partition][start : start + most]
        for offset, frame in enumerate(frames, start):
            state.apply(frame, offset, self._tick())
        self._tell(partition)
        return bool(frames)

    def _tell(self, partition: int) -> None:
        log = self.standing[partition]
        for key, value in self.score[partition].standing():
            log.append(Record(len(log), 0, key, value))

    def hear(self, partition: int) -> bool:
        """Weigh reads what ``standing`` says."""
        state, log = self.weigh[partition], self.standing[partition]
        start = state.positions()[Topic.STANDING.value]
        state.close_days(log[start:], len(log) - 1)
        return start < len(log)

    def turn(self, partition: int, *, crash: bool = False) -> bool:
        """Begin a day, if one may begin; ``crash``: before its snapshot is kept."""
        state = self.weigh[partition]
        positions = state.positions()

        def is_read(topic: Topic) -> bool:
            return positions[topic.value] >= len(self.inputs.get((topic, partition), []))

        if not state.may_turn(is_read):
            return False
        state.turn()
        if crash:
            self.weigh[partition] = self._new_weigh(partition)
        else:
            self.keep_weigh(partition)
            assert state.kept(state.version())
        return True

    def keep_weigh(self, partition: int) -> None:
        """Take a checkpoint."""
        state = self.weigh[partition]
        self._send(state.owed(self._tick()))
        self._keep("weigh", partition, state)

    def keep_score(self, partition: int) -> None:
        """Take a checkpoint."""
        self._tell(partition)
        self._keep("score", partition, self.score[partition])

    def _keep(self, stage: str, partition: int, state: WeighPartition | ScorePartition) -> None:
        held = self.kept[stage, partition]
        number = len(held)
        snapshot = msgspec.msgpack.decode(msgspec.msgpack.encode(state.snapshot(number)))
        held.append({"number": number, "state": snapshot, "oldest": state.oldest_needed()})

    def crash_weigh(self, partition: int) -> None:
        """A new owner goes on from the last checkpoint."""
        self.weigh[partition] = self._new_weigh(partition)

    def crash_score(self, partition: int) -> None:
        """A new owner goes on from the last checkpoint."""
        self.score[partition] = self._new_score(partition)

    def finish(self) -> None:
        """Take steps until nothing is left; fails if something waits for ever."""
        moved = True
        while moved:
            moved = False
            for p in range(PARTITIONS):
                for topic in INTERACTION_TOPICS:
                    moved |= self.read(topic, p, 100)
                moved |= self.score_frames(p, 100)
                moved |= self.hear(p)
                moved |= self.turn(p)
                owed = self.weigh[p].owed(self._tick())
                self._send(owed)
                moved |= bool(owed)
        for (topic, p), log in self.inputs.items():
            assert self.weigh[p].positions()[topic.value] == len(log), (topic, p)

    def classes(self) -> dict[Key, int]:
        """The class of each interaction, as readers of ``weighed`` find it."""
        found: dict[Key, int] = {}
        for frames in self.weighed:
            progress = Progress()
            for frame in frames:
                new = progress.take(frame)
                if new is not None:
                    header, columns = frame.header, new.columns
                    pairs = zip(columns["offset"].tolist(), columns["class"].tolist(), strict=True)
                    found |= {(header.topic, header.partition, o): c for o, c in pairs}
            assert progress.holes == 0
        return found

    def _send(self, frames: Iterable[tuple[int, Frame]]) -> None:
        for partition, frame in frames:
            self.weighed[partition].append(frame)

    def _tick(self) -> float:
        self.now += 0.3
        return self.now


def logs_of(events: Sequence[tuple[int, int, int, int]]) -> Logs:
    """Logs of events in the order of arrival: (hours since FIRST_DAY began, kind, actor, target).

    Before the first event of an hour all sources are told that hour; at the end, the day after.
    """
    logs: Logs = {(t, p): [] for t in INTERACTION_TOPICS for p in range(PARTITIONS)}
    told = -1
    for number, (hour, kind, actor, target) in enumerate(events):
        if hour > told:
            told = hour
            _beat(logs, hour)
        name = ACCOUNTS[actor]
        at = FIRST_DAY * DAY_MS + hour * HOUR + number
        message = interaction(
            id=str(number), kind=KINDS[kind], actor=name, target=ACCOUNTS[target], at=at
        )
        logs[Topic.of_kind(KINDS[kind]), partition_of(name, PARTITIONS)].append(message)
    _beat(logs, (told // HOURS + 1) * HOURS)
    return logs


def _beat(logs: Logs, hour: int) -> None:
    for log in logs.values():
        log.append(Heartbeat(clock=FIRST_DAY * DAY_MS + hour * HOUR))


def classes_expected(logs: Logs, oracle: ModuleType, model: Model = OFTEN) -> dict[Key, int]:
    """The class of each interaction in ``logs`` by the reference."""
    keys: list[Key] = []
    rows: list[tuple[int, Interaction]] = []
    for (topic, partition), log in logs.items():
        clock = 0
        for offset, message in enumerate(log):
            clock = max(clock, message.clock if isinstance(message, Heartbeat) else message.at)
            if isinstance(message, Interaction) and message.actor != message.target:
                keys.append((topic, partition, offset))
                rows.append((day_of(clock), message))
    first = min(day_of(log[0].clock) for log in logs.values() if isinstance(log[0], Heartbeat))
    return dict(zip(keys, reference(rows, first, oracle, model), strict=True))


def reference(
    rows: Sequence[tuple[int, Interaction]], first: int, oracle: ModuleType, model: Model
) -> list[int]:
    """The class of each interaction by the reference of the score model, day by day.

    ``rows``: with the day on which it is weighed; those of a day and a kind in their order.
    ``first``: day of the instance.
    """
    params = oracle.PARAMS | {"tiers": model.tiers, "sel": model.sel, "fresh_h": model.fresh_h}
    days: dict[int, list[int]] = defaultdict(list)
    for place, (day, _) in enumerate(rows):
        days[day].append(place)
    names = sorted({name for _, row in rows for name in (row.actor, str(row.target))})
    number = {name: i for i, name in enumerate(names)}
    found = [0] * len(rows)
    past: list[tuple[int, ...]] = []
    given: dict[tuple[str, int], int] = defaultdict(int)
    seen: dict[str, int] = {}
    for day, places in sorted(days.items()):
        scores = np.full(len(names), 1000)
        if past:
            scores = oracle.score_events(*np.array(past).T, day * HOURS, len(names), p=params)
        today: dict[tuple[str, Kind], int] = defaultdict(int)
        for place in places:
            row = rows[place][1]
            out = sum(given[row.actor, d] for d in range(day - 30, day))
            out += today[row.actor, row.kind]
            today[row.actor, row.kind] += 1
            age_h = (day - seen.get(row.actor, day)) * HOURS
            milli = scores[number[row.actor]]
            found[place] = int(oracle.classify(milli, out, age_h, (day - first) * HOURS, params))
        for place in places:
            row = rows[place][1]
            given[row.actor, day] += 1
            seen.setdefault(row.actor, day)
            actor, target, kind = (
                number[row.actor],
                number[str(row.target)],
                KIND_INDEX[row.kind.value],
            )
            past.append((0, actor, target, row.at // HOUR, kind, found[place]))
    return found
