"""The ways in and out, each against the plain one in the same run: ``python -m bench.decode``.

Processor time per row of: decoding records (in one pass, and one by one), writing and reading
frames of two sizes, and what the sink does with texts (as arrays, and as Python strings). The best
of several runs, so that other work on the machine counts little.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec

from bench.common import header, write_result
from schemas.frames import Frame, FrameHeader, columns_of, decode_frame
from schemas.hashing import hash64
from schemas.interaction import Interaction
from schemas.kinds import Kind
from schemas.topics import Topic
from streams.core.column_decoder import ColumnDecoder
from streams.core.decode import Decoder
from streams.core.decoded import decode_plain
from streams.core.records import Record, RecordColumns
from streams.sinks.rows import PlacedFrame, interaction_columns
from streams.sinks.text_arrays import NameArray, TextArray, plain

NAME: Final = "decode"
_NOON: Final = 1_700_049_600_000
_ROWS: Final = 8_000
_FEW: Final = 8
_RUNS: Final = 15


def main() -> None:
    """Measure everything, print it and keep it in ``bench/results``."""
    events = _events()
    records = RecordColumns.of(
        [
            Record(n, e.received_at, e.actor.encode(), msgspec.json.encode(e))
            for n, e in enumerate(events)
        ]
    )
    quick, one_by_one = ColumnDecoder(Topic.LIKE, 0, 1), Decoder(Topic.LIKE, 0, 1)
    figures = {
        "bytes_per_event": round(float(records.value_sizes.mean())),
        "decode": _best(lambda: quick.decode(records), _ROWS),
        "decode one by one": _best(lambda: decode_plain(records, one_by_one, 1), _ROWS),
    }
    for rows in (_FEW, _ROWS):
        frame = _frame(events[:rows])
        data = frame.encode()
        figures[f"frame of {rows}: encode"] = _best(frame.encode, rows)
        figures[f"frame of {rows}: decode"] = _best(lambda: decode_frame(data), rows)  # noqa: B023
    placed = [PlacedFrame(_frame(events), 0, 0)]
    columns = interaction_columns(placed, 1)
    texts = [c for c in columns.values() if isinstance(c, TextArray | NameArray)]
    figures["sink: columns"] = _best(lambda: interaction_columns(placed, 1), _ROWS)
    figures["sink: texts"] = _best(lambda: [text.native() for text in texts], _ROWS)
    figures["sink: texts as strings"] = _best(lambda: [plain(text) for text in texts], _ROWS)
    result = header(NAME) | {"us_per_row": figures}
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    write_result(NAME, result)


def _best(work: Callable[[], object], rows: int) -> float:
    """Microseconds of processor time per row, the best of some runs."""
    times = []
    for _ in range(_RUNS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return round(min(times) / rows * 1e6, 3)


def _events() -> list[Interaction]:
    rng = random.Random(1)

    def account() -> str:
        return f"bluesky:did:plc:{rng.randrange(300_000):024d}"

    return [
        Interaction(
            id=f"{rng.getrandbits(64):016x}",
            kind=Kind.LIKE,
            network="bluesky",
            actor=account(),
            target=account(),
            object=f"{rng.getrandbits(64):016x}",
            at=_NOON + number,
            received_at=_NOON + number + 500,
        )
        for number in range(_ROWS)
    ]


def _frame(events: list[Interaction]) -> Frame:
    clock, last = events[-1].at, len(events) - 1
    rows = [
        (
            *(n, 0, e.at, e.received_at, 0, 13, e.actor, e.target, e.object, 2, 1024, 1, False),
            *(hash64(e.actor), hash64(e.id), 0, 0, False),
        )
        for n, e in enumerate(events)
    ]
    about = FrameHeader(topic=Topic.LIKE, partition=0, first=0, last=last, clock=clock, model=1)
    return Frame(about, columns_of(rows))


if __name__ == "__main__":
    main()
