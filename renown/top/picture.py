"""The picture that ``renown top`` shows, computed from readings. Pure; it is also its JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from renown.top.readings import (
    MINUTE,
    BrokerReading,
    Counters,
    DatabaseReading,
    History,
    Leader,
    ProcessReading,
)

RATE_SECONDS: Final = 10.0
"""Rates are means of so long: offsets are committed with the checkpoints, not all the time."""

SCORE_JOB: Final = "renown-score"
SINK_JOB: Final = "renown-sink"
AGENT_JOB: Final = "renown-agent"

_WORK: Final = {SCORE_JOB: "weighed", SINK_JOB: "stored", AGENT_JOB: "published"}
"""Job → the counter that says how busy its processes are."""

Processes = tuple[ProcessReading, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """``events_per_second`` and ``behind`` (records) are None where nobody can tell."""

    stage: str
    events_per_second: float | None
    behind: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What was set aside in the last ``seconds`` (60 once it has been watched for so long)."""

    seconds: float
    dead: int
    duplicates: int
    late: int


@dataclass(frozen=True, slots=True)
class ShownChange:
    """An update of a score, in points."""

    account: str
    before: float
    after: float
    cause: str
    seconds_ago: float


@dataclass(frozen=True, slots=True)
class Process:
    """``cpu``: cores in use; ``memory``: resident bytes."""

    process: str
    job: str
    answers: bool
    state: str
    cpu: float | None
    memory: int | None
    events_per_second: float | None


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as its status file tells it. ``behind_seconds``: wall-clock minus its cursor."""

    agent: str
    networks: tuple[str, ...]
    state: str
    detail: str
    published: int
    rejected: int
    behind_seconds: float | None


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is shown. ``trouble``: broker or clickhouse → why it does not answer.

    ``dead_last_minute``: reason → dead letters that were stored in the last minute.
    """

    at: datetime
    event_time: datetime | None
    behind_seconds: float | None
    stages: tuple[Stage, ...]
    counted: Counted | None
    dead_last_minute: Mapping[str, int] | None
    changes: tuple[ShownChange, ...]
    leaders: tuple[Leader, ...]
    processes: tuple[Process, ...]
    agents: tuple[Agent, ...]
    trouble: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Histories:
    """All readings of the last minute."""

    broker: History[BrokerReading] = field(default_factory=History)
    database: History[DatabaseReading] = field(default_factory=History)
    processes: History[Processes] = field(default_factory=History)


def picture(
    seen: Histories, agents: Sequence[Agent], *, now_ms: int, monotonic: float, limit: int
) -> Picture:
    """What is to be shown at ``now_ms`` (UTC), ``monotonic`` on the clock of the readings.

    ``limit``: of the changes and of the leaders.
    """
    broker = seen.broker.newest
    database = seen.database.newest
    changes = broker.value.changes[:limit] if broker else ()
    clock = _clock(seen)
    return Picture(
        at=_time(now_ms),
        event_time=_time(clock) if clock else None,
        behind_seconds=round((now_ms - clock) / 1000, 1) if clock else None,
        stages=_stages(seen),
        counted=_counted(seen),
        dead_last_minute=dict(database.value.reasons) if database else None,
        changes=tuple(
            ShownChange(
                change.account,
                change.before,
                change.after,
                change.cause,
                round(max(0.0, (now_ms - change.at) / 1000), 1),
            )
            for change in changes
        ),
        leaders=database.value.leaders[:limit] if database else (),
        processes=_processes(seen.processes),
        agents=tuple(agents),
        trouble={
            name: _trouble(history, monotonic)
            for name, history in (("broker", seen.broker), ("clickhouse", seen.database))
            if history.trouble
        },
    )


def _stages(seen: Histories) -> tuple[Stage, ...]:
    broker = seen.broker.newest
    behind: Mapping[str, int] = broker.value.behind if broker else {}
    at_broker, stored = broker.value if broker else None, _stored_total(seen)

    def offsets(pick: Callable[[BrokerReading], Counters]) -> float | None:
        return _rounded(seen.broker.rate(pick, RATE_SECONDS))

    weighed = _by_job(seen.processes, SCORE_JOB, "weighed")
    rows = _by_job(seen.processes, SINK_JOB, "stored")
    if rows is None:
        rows = seen.database.rate(_stored, RATE_SECONDS)
    return (
        Stage(
            "published",
            offsets(lambda reading: reading.published),
            None,
            _total(at_broker.published) if at_broker else None,
        ),
        Stage(
            "weighed",
            offsets(lambda reading: reading.weighed) if weighed is None else _rounded(weighed),
            behind.get("weigh"),
            _total(at_broker.weighed) if at_broker else None,
        ),
        Stage(
            "scored",
            _rounded(_by_job(seen.processes, SCORE_JOB, "scored")),
            behind.get("score"),
            None,
        ),
        Stage(
            "updates",
            offsets(lambda reading: reading.updates),
            None,
            _total(at_broker.updates) if at_broker else None,
        ),
        Stage("stored", _rounded(rows), behind.get("store"), stored),
    )


def _counted(seen: Histories) -> Counted | None:
    names = {"dead": "dead", "duplicates": "duplicate", "late": "late"}
    found: dict[str, tuple[float, float] | None] = {}
    if _all_answer(seen.processes, SCORE_JOB):
        for name in names:
            found[name] = seen.processes.growth(_of_job(SCORE_JOB, name), MINUTE)
    else:
        for name, outcome in names.items():
            found[name] = seen.database.growth(_outcome(outcome), MINUTE)
    known = {name: each for name, each in found.items() if each is not None}
    if len(known) < len(names):
        return None
    return Counted(
        seconds=round(known["dead"][1], 1),
        **{name: round(grown) for name, (grown, _) in known.items()},
    )


def _processes(history: History[Processes]) -> tuple[Process, ...]:
    if (newest := history.newest) is None:
        return ()
    return tuple(_process(history, one) for one in newest.value)


def _process(history: History[Processes], one: ProcessReading) -> Process:
    if not one.answers:
        return Process(one.name, one.job, False, one.state, None, None, None)

    def own(pick: Callable[[ProcessReading], float]) -> Callable[[Processes], Counters]:
        return lambda all_: {
            each.name: pick(each) for each in all_ if each.name == one.name and each.answers
        }

    rate = None
    if counter := _WORK.get(one.job):
        rate = history.rate(own(lambda each: each.counters.get(counter, 0.0)), RATE_SECONDS)
    cpu = history.rate(own(lambda each: each.cpu), RATE_SECONDS)
    state = f"{one.state}, canary {one.canary:.2f} s" if one.canary else one.state
    return Process(
        process=one.name,
        job=one.job,
        answers=True,
        state=state,
        cpu=None if cpu is None else round(cpu, 2),
        memory=one.memory,
        events_per_second=_rounded(rate),
    )


def _by_job(history: History[Processes], job: str, counter: str) -> float | None:
    """Rate of a counter over all processes of ``job``; None unless all of them answer."""
    if not _all_answer(history, job):
        return None
    return history.rate(_of_job(job, counter), RATE_SECONDS)


def _all_answer(history: History[Processes], job: str) -> bool:
    newest = history.newest
    known = [one.answers for one in newest.value if one.job == job] if newest else []
    return bool(known) and all(known)


def _of_job(job: str, counter: str) -> Callable[[Processes], Counters]:
    def pick(processes: Processes) -> Counters:
        return {
            one.name: one.counters.get(counter, 0.0)
            for one in processes
            if one.job == job and one.answers
        }

    return pick


def _outcome(name: str) -> Callable[[DatabaseReading], Counters]:
    return lambda reading: {name: reading.totals.get(name, 0.0)}


def _stored(reading: DatabaseReading) -> Counters:
    return {name: reading.totals.get(name, 0.0) for name in ("accepted", "undone")}


def _stored_total(seen: Histories) -> int | None:
    newest = seen.database.newest
    return _total(_stored(newest.value)) if newest else None


def _clock(seen: Histories) -> int:
    """How far event time has come, by whoever knows the most."""
    clocks = [0]
    if broker := seen.broker.newest:
        clocks.append(broker.value.clock)
    if database := seen.database.newest:
        clocks.append(database.value.clock)
    return max(clocks)


def _trouble(history: History[Any], monotonic: float) -> str:
    newest = history.newest
    since = f"; shown as it was {monotonic - newest.at:.0f} s ago" if newest else ""
    return history.trouble + since


def _total(counters: Counters) -> int:
    return round(sum(counters.values()))


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
