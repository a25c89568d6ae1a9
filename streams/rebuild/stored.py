"""The queries of a rebuild: what is read of ClickHouse, in blocks, nothing being changed."""
# ruff: noqa: S608 (what is put into the texts are numbers and names of our own)

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from schemas.kinds import POST_NAME, ROW_KINDS
from schemas.networks import NETWORKS
from streams.core.past import Past as PastRow
from streams.rebuild.past import Past, PastLog
from streams.rebuild.reader import Block, BlockReader
from streams.sinks.client import Database
from streams.sinks.progress import Source, SourceProgress
from streams.sinks.tables import HORIZON_NAMES

_NETWORK: Final = (
    f"transform(toString(network), {list(NETWORKS)}, {list(range(len(NETWORKS)))}, 255)"
)
_KIND: Final = f"indexOf({list(ROW_KINDS)}, toString(kind)) - 1"
_PUBLISHED: Final = ", ".join(
    f"{measure}_{name}"
    for measure in ("weight", "interactions", "engagers")
    for name in HORIZON_NAMES
)


def past_logs(db: Database, chain: Sequence[int]) -> list[PastLog]:
    """What is stored of each log of ``chain``, in the same order."""
    logs = _set(chain)
    next_offsets: dict[int, dict[int, int]] = defaultdict(dict)
    told: dict[int, dict[tuple[int, Source], SourceProgress]] = defaultdict(dict)
    ends: dict[int, dict[Source, int]] = defaultdict(dict)
    clocks: dict[int, dict[int, int]] = defaultdict(dict)
    for log, partition, next_offset, *sources in db.query(
        "SELECT log, partition, next_offset, source_topics, source_partitions, applied, clocks,"
        f" totals FROM sink_position WHERE topic = 'weighed' AND log IN {logs}"
    ):
        next_offsets[log][partition] = next_offset
        for topic, number, applied, clock, totals in zip(*sources, strict=True):
            source = topic, number
            told[log][partition, source] = SourceProgress(applied, clock, dict(totals))
            ends[log][source] = max(applied + 1, ends[log].get(source, 0))
    for log, topic, number, end in db.query(
        "SELECT log, toString(source_topic), source_partition, max(source_offset) + 1"
        f" FROM interactions_rows WHERE log IN {logs} GROUP BY ALL"
    ):
        ends[log][topic, number] = max(end, ends[log].get((topic, number), 0))
    for log, partition, clock in db.query(
        "SELECT log, weighed_partition, toUnixTimestamp64Milli(max(clock)) FROM scores"
        f" WHERE log IN {logs} GROUP BY ALL"
    ):
        clocks[log][partition] = clock
    return [PastLog(log, next_offsets[log], told[log], ends[log], clocks[log]) for log in chain]


class Stored:
    """What is stored of the logs of ``past``; rows that its own log does not hold to stay out."""

    def __init__(self, reader: BlockReader, past: Past) -> None:
        self._reader = reader
        self._past = past
        self._logs = _set([each.log for each in past.logs])

    def alike_rows(self, source: Source, since: int) -> Iterator[Block]:
        """Rows of a source from the logs that are alike, in their order.

        Columns: the place (it counts on through the logs, see ``Past``), ``since`` at least; then
        those of a ``PastRow``.
        """
        starts = self._past.starts(source)
        topic, partition = source
        place = f"source_offset + {_by_log('log', starts)}"
        limit = ""
        if self._past.same is not None:
            cut = self._past.cut(source)
            limit = f" AND NOT (log = {self._past.log} AND source_offset > {cut})"
        return self._reader.blocks(
            f"SELECT {place} AS place, {_past_columns()} FROM interactions_rows"
            f" WHERE log IN {_set(starts)} AND source_topic = '{topic}'"
            f" AND source_partition = {partition} AND place >= {since}{limit}"
            " ORDER BY log, source_offset, part"
        )

    def other_rows(self, source: Source, most: int) -> list[PastRow]:
        """The last rows, at most ``most``, of a source of the new layout, from logs of another.

        In an order that is right for each actor.
        """
        logs = [each.log for each in self._past.others]
        topic, partition = source
        ends: list[int] = []
        first: dict[int, int] = {}
        for each in self._past.others:
            first[each.log] = len(ends) + 1
            ends += [each.ends.get((topic, p), 0) for p in range(each.partitions)]
        # how far before the end of its partition: partitions may be of different lengths
        ahead = f"{ends}[{_by_log('log', first)} + source_partition] - source_offset"
        blocks = self._reader.blocks(
            f"SELECT {_past_columns()} FROM interactions_rows"
            f" WHERE log IN {_set(logs)} AND source_topic = '{topic}'"
            f" AND modulo(kafkaMurmurHash(actor), {self._past.partitions}) = {partition}"
            f" ORDER BY log DESC, {ahead}, source_partition, part DESC LIMIT {most}"
        )
        rows = [PastRow(*row) for block in blocks for row in zip(*block, strict=True)]
        return rows[::-1]

    def newest_times(self) -> dict[Source, int]:
        """Source of the new layout → newest event time among its rows of another one, in ms."""
        logs = [each.log for each in self._past.others]
        if not logs:
            return {}
        found = self._reader.blocks(
            "SELECT toString(source_topic) AS topic,"
            f" modulo(kafkaMurmurHash(actor), {self._past.partitions}) AS number,"
            " toUnixTimestamp64Milli(max(greatest(at, undone_at)))"
            f" FROM interactions_rows WHERE log IN {_set(logs)} GROUP BY topic, number"
        )
        return {
            (topic, number): at for block in found for topic, number, at in zip(*block, strict=True)
        }

    def accounts(self, partition: int, hour: int) -> Iterator[Block]:
        """Accounts of a score partition.

        Columns: target, and log and place in ``weighed`` of the newest row that is reached in
        ``hour`` (0 and -1: none is), and whether one of those was received: an interaction.
        """
        reached = f"(hour <= {hour} OR undo)"
        return self._reader.blocks(
            f"SELECT target, (maxIf((log, weighed_offset), {reached}) AS newest).1,"
            f" if(newest.1 = 0, -1, newest.2), countIf({reached} AND kind != '{POST_NAME}') > 0"
            f" FROM interactions_rows WHERE {self._of('target', partition)} GROUP BY target"
        )

    def rows(self, partition: int, since: int) -> Iterator[Block]:
        """Rows of a score partition, each once, of the hours from ``since``; in any order.

        Columns: target, network, engager, hour, class, kind, weight, undo.
        """
        return self._reader.blocks(
            f"SELECT target, {_NETWORK}, engager, hour, class, {_KIND}, weight, undo"
            f" FROM interactions_rows FINAL"
            f" WHERE {self._of('target', partition)} AND hour >= {since}"
        )

    def published(self, partition: int) -> Iterator[Block]:
        """The newest stored update of each account of a score partition.

        Columns: profile, log, place in ``weighed``, whether rows that it includes are lost, version
        of the model, level, score, and the weights, interactions and engagers of each horizon.
        """
        values = f"log, weighed_offset, {self._is_ahead()}, model, level, score, {_PUBLISHED}"
        picked = ", ".join(f"newest.{i}" for i in range(1, 7 + 3 * len(HORIZON_NAMES)))
        return self._reader.blocks(
            f"SELECT profile, {picked} FROM"
            f" (SELECT profile, argMax(tuple({values}), (log, epoch, sequence)) AS newest"
            f" FROM scores WHERE log IN {self._logs}"
            f" AND modulo(kafkaMurmurHash(profile), {self._past.partitions}) = {partition}"
            " GROUP BY profile)"
        )

    def _is_ahead(self) -> str:
        """Whether rows are missing in an update's log that will not be read from it any more."""
        ends: list[int] = []
        first: dict[int, int] = {}
        for each in self._past.logs:
            if each is not self._past.same:
                first[each.log] = len(ends) + 1
                ends += [each.next_offsets.get(p, 0) for p in range(each.partitions)]
        place = _by_log("log", first)
        return f"{place} > 0 AND weighed_offset >= {ends or [0]}[{place} + weighed_partition]"

    def newest_epoch(self) -> int:
        """The highest epoch of an update of ``past.log`` that is stored; 0 if there is none."""
        sql = f"SELECT max(epoch) FROM scores WHERE log = {self._past.log}"
        return max(int(epoch) for block in self._reader.blocks(sql) for epoch in block[0])

    def _of(self, account: str, partition: int) -> str:
        where = (
            f"log IN {self._logs}"
            f" AND modulo(kafkaMurmurHash({account}), {self._past.partitions}) = {partition}"
        )
        if self._past.same is not None:
            position = self._past.position(partition)
            where += f" AND NOT (log = {self._past.log} AND weighed_offset > {position})"
        return where


def _past_columns() -> str:
    """The columns of ``PastRow``."""
    undone = "greatest(at, if(undone_at = toDateTime64(0, 3, 'UTC'), received_at, undone_at))"
    return (
        f"toUnixTimestamp64Milli(at), target, {_NETWORK}, class, weight, amount, undo, engager, id,"
        f" record, if(undo, toUnixTimestamp64Milli({undone}), 0), whole_record"
    )


def _by_log(column: str, values: Mapping[int, int]) -> str:
    """An expression that is the value of the log in ``column``."""
    return f"transform({column}, {list(values)}, {list(values.values())}, 0)" if values else "0"


def _set(numbers: Sequence[int] | Mapping[int, int]) -> str:
    return f"({', '.join(map(str, numbers)) or '0'})"
