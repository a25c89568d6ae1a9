"""Looks at broker and database from outside. Each is a context that ``look`` reads from.

They raise ``RenownError`` if the server is away; make another then.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

import msgspec

from config.broker import check_broker
from config.settings import ClickHouseAddress, Settings
from renown.activity import dead_in_the_last_minute, leaders, newest_totals
from renown.lag import GROUPS, GroupOffsets, Offsets, behind
from renown.monitor.canary import PREFIX as CANARIES
from renown.tails import TopicTails, newest_clock
from renown.top.readings import BrokerReading, Change, DatabaseReading, ProcessReading
from renown.top.scrape import scrape_all, targets_of
from schemas.frames import OUTCOMES
from schemas.score import ScoreUpdate
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.groups import SCORE_GROUP, SINK_GROUP, SINK_TOPICS
from streams.sinks.client import Database

_ANSWER_SECONDS: Final = 20.0
_LOOKED_AT: Final = 200
"""Updates of each partition that are looked at: some are of canaries, or change nothing."""
_decode = msgspec.json.Decoder(ScoreUpdate).decode


class BrokerProbe:
    """Offsets of topics and groups, and the newest records of ``scores`` and ``weighed``."""

    def __init__(self, settings: Settings, changes: int) -> None:
        """``changes``: how many of the newest to read."""
        check_broker(settings)
        self._wanted = changes
        with ExitStack() as cleanup:
            self._offsets = cleanup.enter_context(GroupOffsets(settings))
            self._tails = cleanup.enter_context(TopicTails(settings))
            self._cleanup = cleanup.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def look(self) -> BrokerReading:
        """Read."""
        committed = {group: self._offsets.committed(group) for group in GROUPS}
        ends = self._offsets.ends({*INTERACTION_TOPICS, *SINK_TOPICS})
        scoring = committed[SCORE_GROUP]
        lags = {
            "weigh": (scoring, INTERACTION_TOPICS),
            "score": (scoring, (Topic.WEIGHED,)),
            "store": (committed[SINK_GROUP], SINK_TOPICS),
        }
        return BrokerReading(
            published=self._of(ends, *INTERACTION_TOPICS),
            weighed=self._of(scoring, *INTERACTION_TOPICS),
            updates=self._of(ends, Topic.SCORES),
            behind={
                stage: behind(offsets, ends, self._offsets.partitions(topics))
                for stage, (offsets, topics) in lags.items()
            },
            clock=newest_clock(self._tails, self._only(ends, Topic.WEIGHED)),
            changes=self._changes(self._only(ends, Topic.SCORES)),
        )

    def _of(self, offsets: Offsets, *topics: Topic) -> dict[str, float]:
        partitions = self._offsets.partitions(topics)
        return {f"{tp.topic}/{tp.partition}": max(0, offsets.get(tp, 0)) for tp in partitions}

    def _only(self, ends: Offsets, topic: Topic) -> Offsets:
        return {tp: ends[tp] for tp in self._offsets.partitions([topic])}

    def _changes(self, ends: Offsets) -> tuple[Change, ...]:
        found = []
        for record in self._tails.read(ends, _LOOKED_AT):
            try:
                update = _decode(record.value or b"")
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # the sink makes a dead letter of it
            if update.change and not update.profile.startswith(CANARIES):
                before = (update.score - update.change) / 1000
                after = update.score / 1000
                found.append(Change(update.profile, before, after, update.cause, record.timestamp))
        found.sort(key=lambda change: change.at, reverse=True)
        return tuple(found[: self._wanted])


class DatabaseProbe:
    """What is stored of the newest log."""

    def __init__(self, settings: Settings, limit: int) -> None:
        """``limit``: of the leaders."""
        address = ClickHouseAddress.parse(settings.clickhouse.get_secret_value())
        self._db = Database(address, answer_seconds=_ANSWER_SECONDS)
        self._limit = limit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def look(self) -> DatabaseReading:
        """Read."""
        totals, clock = newest_totals(self._db)
        return DatabaseReading(
            totals={**dict.fromkeys(OUTCOMES, 0), **totals},
            clock=clock,
            reasons=dead_in_the_last_minute(self._db),
            leaders=tuple(leaders(self._db, self._limit)),
        )


class ProcessProbe:
    """The processes that a stack has listed in its folder."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        """``folder`` tells where the list lies, asked at each look."""
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def look(self) -> tuple[ProcessReading, ...]:
        """Read."""
        return scrape_all(targets_of(self._folder()))
