"""Every kernel called once before records wait for it: ``python -m streams.warming``.

A made-up hour goes through the whole core, so whatever the core compiles is compiled here, for the
types that it is used with.
"""

import logging
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from schemas.frames import decode_frame
from schemas.interaction import Heartbeat, Interaction
from schemas.kinds import POST_NAME, ROW_KINDS
from schemas.model import Model, load_model, versions
from schemas.post import Post
from schemas.topics import INTERACTION_TOPICS, SOURCE_TOPICS
from streams.core.past import Past
from streams.core.records import RecordColumns
from streams.core.score import ScorePartition
from streams.core.weigh import WeighSource
from streams.core.weigh_partition import WeighPartition
from streams.engine.changelog import FORMAT_VERSION
from streams.engine.raw_batches import read
from streams.engine.snapshots import pack, unpack
from streams.kernels.code_cache import is_ready, make_ready
from streams.kernels.native_texts import native_texts
from streams.kernels.read_updates import Bounds, Read, read_updates

log = logging.getLogger("renown.kernels")

_NOON = 1_700_049_600_000
_HOUR = 3_600_000
_HORIZON = 4


def warm_up() -> None:
    """Load every kernel; where none is kept yet for this version, compile it and say so.

    Those that only a later score model needs are compiled with the others, but loaded when used.
    """
    began, is_new = time.monotonic(), not is_ready()
    if is_new:
        log.info("compiling the kernels: once for this version on this machine, about a minute")
    for version in versions() if is_new else versions()[:1]:
        _play(load_model(version))
    _recall()
    if is_new:
        make_ready()
        log.info("kernels compiled in %.0f s", time.monotonic() - began)


def _play(model: Model) -> None:
    """Weigh, frame, score, publish, keep and restore interactions, with their undos and expiry."""
    text, begins, sizes = np.frombuffer(b"x", np.uint8), np.zeros(1, np.int64), np.ones(1, np.int64)
    native_texts(text, begins, sizes)
    read_updates(text, begins, sizes, Bounds(begins, sizes, 1), Read.of(1))
    weigh, score = (
        WeighPartition(0, 1, model, _HORIZON),
        ScorePartition(0, model, once=False, emit_seconds=0),
    )
    applied, moment = 0, 0.0
    for last_at in (_NOON, _NOON + 2400 * _HOUR):  # the second time all windows have passed
        for topic, kind in zip(SOURCE_TOPICS, ROW_KINDS, strict=True):
            first = weigh.positions()[topic.value]
            if kind == POST_NAME:
                records = _posts(last_at, first)
            else:
                records = _records(kind, last_at, first)
            derived = weigh.apply(topic, records, records[-1].offset, moment)
            for _, frame in [*derived.frames, *weigh.owed(moment)]:
                score.apply(decode_frame(frame.encode()), applied, moment)
                applied += 1
        weighs = []
        for number in range(2):
            moment += 2
            score.tick(moment)
            list(score.updates(moment, everything=number == 1))
            weighs.append(_kept(weigh.snapshot(number)))
            scores = [_kept(score.snapshot(number))]
        weigh = WeighPartition(0, 1, model, _HORIZON, weighs)
        score = ScorePartition.restore(scores, model, once=False, emit_seconds=0)


def _recall() -> None:
    """Tell a source of stored rows, as a rebuild does."""
    source = WeighSource(INTERACTION_TOPICS[0], 0, 1, load_model(), _HORIZON)
    stored = Past(_NOON, "renown:a", 0, 3, 1536, 1, False, 1, 2, 3, 0, False)
    source.recall(0, stored)
    source.recall(1, stored._replace(undo=True, undone_at=_NOON, whole_record=True))
    source.resume(2, _NOON, 1, {})


def _records(kind: str, at: int, first: int) -> RecordColumns:
    """Every sort of record that a topic may hold, from offset ``first`` on."""

    def interaction(id_: str, actor: str, **fields: object) -> bytes:
        values = {"id": id_, "kind": kind, "network": "renown", "actor": f"renown:{actor}"}
        times = {"at": at, "received_at": at}
        return msgspec.json.encode(msgspec.convert(values | times | fields, Interaction))

    target = {"target": "renown:a"}
    values = [
        interaction("1", "b", **target, record="r", object="o"),
        interaction("2", "c", **target, amount=2),
        interaction("2", "c", **target),
        interaction("3", "é", **target),
        interaction("2", "c", **target, undo=True),
        interaction("4", "b", record="r", undo=True),
        interaction("9", "d", **target, undo=True),
        *(interaction(f"many-{actor}", f"many-{actor}", **target) for actor in range(300)),
        msgspec.json.encode(Heartbeat(clock=at)),
        b"no json",
    ]
    return _fetched(values, at, first)


def _posts(at: int, first: int) -> RecordColumns:
    """Every sort of record that ``posts`` may hold, from offset ``first`` on."""
    posts = [
        Post(id=id_, at=at, network="renown", author="renown:a", undo=undo)
        for id_, undo in (("1", False), ("2", False), ("2", False), ("2", True), ("3", True))
    ]
    return _fetched([*map(msgspec.json.encode, posts), b"no json"], at, first)


def _fetched(values: Sequence[bytes], at: int, first: int) -> RecordColumns:
    """The records as the raw transport reads them."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    for place, value in enumerate(values):
        builder.append(first + place, at, b"key", value, [])
    return next(read(bytes(builder.build()), first)).records


def _kept(snapshot: dict[str, Any]) -> dict[str, Any]:
    """A snapshot as it comes back from the changelog."""
    return unpack(pack(snapshot, {}, 1), FORMAT_VERSION).state


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    warm_up()
