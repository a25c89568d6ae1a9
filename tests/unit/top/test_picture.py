"""What is shown follows from what was read."""

from dataclasses import replace

from renown.top.picture import Agent, Histories, Picture, picture
from renown.top.readings import (
    BrokerReading,
    Change,
    Counters,
    DatabaseReading,
    Leader,
    ProcessReading,
)

NOW = 1_709_294_400_000
BEHIND = {"weigh": 3, "score": 2, "store": 1}


def broker(records: float, **values: object) -> BrokerReading:
    return replace(
        BrokerReading(
            published={"like/0": records},
            weighed={"like/0": records / 2},
            updates={"scores/0": records / 4},
            behind=BEHIND,
        ),
        **values,  # type: ignore[arg-type]
    )


def database(rows: float, dead: float = 0) -> DatabaseReading:
    return DatabaseReading(
        totals={"accepted": rows, "undone": 1, "dead": dead, "duplicate": 0, "late": 0},
        clock=NOW - 60_000,
        reasons={"bad json": 2},
        leaders=(Leader(1, "twitter:a", 9.0, 0.5), Leader(2, "twitter:b", 8.0, 0.0)),
    )


def worker(name: str, job: str, counters: Counters, answers: bool = True) -> ProcessReading:
    return ProcessReading(name, job, answers, "ready", 0.0, 1_000_000, counters)


def seen_twice(*processes: tuple[ProcessReading, ...]) -> Histories:
    """Two looks, two seconds apart."""
    seen = Histories()
    for at, records in ((0.0, 0.0), (2.0, 400.0)):
        seen.broker.add(at, broker(records))
        seen.database.add(at, database(records / 8, dead=records / 100))
    for at, each in zip((0.0, 2.0), processes, strict=False):
        seen.processes.add(at, each)
    return seen


def shown(seen: Histories, limit: int = 10, agents: tuple[Agent, ...] = ()) -> Picture:
    return picture(seen, agents, now_ms=NOW, monotonic=10.0, limit=limit)


def rates(one: Picture) -> dict[str, float | None]:
    return {stage.stage: stage.events_per_second for stage in one.stages}


def test_without_processes_offsets_and_rows_give_the_rates() -> None:
    one = shown(seen_twice())
    assert rates(one) == {
        "published": 200.0,
        "weighed": 100.0,
        "scored": None,
        "updates": 50.0,
        "stored": 25.0,
    }
    behind = {stage.stage: stage.behind for stage in one.stages}
    assert (behind["weighed"], behind["scored"], behind["stored"]) == (3, 2, 1)
    assert one.counted
    assert (one.counted.seconds, one.counted.dead) == (2.0, 4)


def test_processes_that_answer_tell_their_rates_themselves() -> None:
    seen = seen_twice(
        (
            worker("score-1", "renown-score", {"weighed": 100, "scored": 10, "dead": 1}),
            worker("score-2", "renown-score", {"weighed": 5, "scored": 5, "dead": 0}),
            worker("sink", "renown-sink", {"stored": 7}),
        ),
        (
            worker("score-1", "renown-score", {"weighed": 20, "scored": 30, "dead": 4}),
            worker("score-2", "renown-score", {"weighed": 15, "scored": 5, "dead": 0}),
            worker("sink", "renown-sink", {"stored": 107}),
        ),
    )
    one = shown(seen)
    found = rates(one)
    assert found["weighed"] == (20 + 10) / 2  # the first was started again
    assert found["scored"] == 10.0
    assert found["stored"] == 50.0
    assert one.counted
    assert one.counted.dead == 3
    assert [each.events_per_second for each in one.processes] == [10.0, 5.0, 50.0]


def test_a_dead_worker_is_shown_and_its_group_is_seen_from_outside() -> None:
    alive = worker("score-1", "renown-score", {"weighed": 100})
    dead = ProcessReading("score-2", "renown-score", False, "no answer (refused)")
    one = shown(seen_twice((alive, dead), (alive, dead)))
    assert rates(one)["weighed"] == 100.0
    assert rates(one)["scored"] is None
    assert (one.processes[1].answers, one.processes[1].state) == (False, "no answer (refused)")
    assert one.processes[1].memory is None
    assert one.counted
    assert one.counted.dead == 4  # what ClickHouse counted


def test_one_look_gives_no_rates() -> None:
    seen = Histories()
    seen.broker.add(0.0, broker(100))
    one = shown(seen)
    assert set(rates(one).values()) == {None}
    assert one.counted is None
    assert one.dead_last_minute is None
    assert one.stages[0].total == 100


def test_nothing_at_all() -> None:
    one = shown(Histories())
    assert one.event_time is None
    assert (one.changes, one.leaders, one.processes) == ((), (), ())


def test_what_is_away_is_told_with_the_age_of_what_is_shown() -> None:
    seen = seen_twice()
    seen.database.trouble = "ClickHouse is away"
    one = shown(seen)
    assert one.trouble == {"clickhouse": "ClickHouse is away; shown as it was 8 s ago"}
    assert one.leaders
    fresh = Histories()
    fresh.broker.trouble = "no broker"
    assert shown(fresh).trouble == {"broker": "no broker"}


def test_event_time_is_that_of_whoever_knows_the_most() -> None:
    seen = seen_twice()
    assert shown(seen).behind_seconds == 60.0
    seen.broker.add(3.0, broker(500, clock=NOW - 1_500))
    assert shown(seen).behind_seconds == 1.5


def test_changes_and_leaders_up_to_the_limit() -> None:
    seen = seen_twice()
    changes = tuple(Change(f"twitter:{n}", 1.0, 2.0, "time", NOW - n * 1000) for n in range(5))
    seen.broker.add(3.0, broker(500, changes=changes))
    one = shown(seen, limit=1)
    assert [leader.account for leader in one.leaders] == ["twitter:a"]
    assert [(each.account, each.seconds_ago) for each in one.changes] == [("twitter:0", 0.0)]
    assert shown(seen, limit=3).changes[2].seconds_ago == 2.0


def test_the_last_canary_is_told() -> None:
    quiet = ProcessReading("monitor", "renown-monitor", True, "ready", canary=0.0)
    loud = replace(quiet, canary=0.456)
    assert shown(seen_twice((quiet,), (quiet,))).processes[0].state == "ready"
    assert shown(seen_twice((quiet,), (loud,))).processes[0].state == "ready, canary 0.46 s"


def test_cpu_is_in_cores() -> None:
    first, second = (ProcessReading("x", "renown-sink", True, "ready", cpu) for cpu in (1.0, 2.0))
    assert shown(seen_twice((first,), (second,))).processes[0].cpu == 0.5
