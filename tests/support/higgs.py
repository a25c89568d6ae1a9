"""The public data set Higgs as the score side reads it."""

import gzip
from dataclasses import replace
from pathlib import Path

from schemas.frames import Frame
from tests.support.weighed import Row, frame


def higgs_frames(path: Path, rows_a_frame: int = 2000) -> list[Frame]:
    """The data set as frames of one partition, in the order of time."""
    kinds = {"MT": 1, "RE": 2, "RT": 3}
    with gzip.open(path, "rt") as lines:
        events = [line.split() for line in lines]
    replies = {(a, b, at) for a, b, at, kind in events if kind == "RE"}
    frames: list[tuple[int, Frame]] = []
    waiting: dict[str, list[Row]] = {kind: [] for kind in kinds}
    following = dict.fromkeys(kinds, 0)
    for a, b, at, kind in events:
        if a == b or (kind == "MT" and (a, b, at) in replies):
            continue
        row = Row(f"twitter:{a}", f"twitter:{b}", int(at) // 3600, kinds[kind], source=kinds[kind])
        waiting[kind].append(replace(row, offset=following[kind]))
        following[kind] += 1
        if len(waiting[kind]) == rows_a_frame:
            frames.append((int(at), frame(waiting[kind])))
            waiting[kind] = []
    rest = [(1 << 40, frame(rows)) for rows in waiting.values() if rows]
    return [each for _, each in sorted(frames + rest, key=lambda item: item[0])]
