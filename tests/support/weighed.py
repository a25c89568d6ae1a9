"""Invented rows of ``weighed``, frames of them, and what they come to, counted the slow way."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from schemas.frames import Frame, FrameHeader, columns_of
from schemas.hashing import hash64
from schemas.kinds import KINDS, POST
from schemas.model import load_model
from schemas.networks import NETWORKS
from schemas.topics import Topic

HOUR = 3_600_000
MODEL = load_model()


@dataclass(frozen=True)
class Row:
    """An interaction of ``actor`` with ``target`` in ``hour``; names are made up.

    Of kind POST: an own post of ``target``, which is its actor too.
    """

    actor: str = "ada"
    target: str = "twitter:zoe"
    hour: int = 1000
    kind: int = 3
    cls: int = 3
    network: int = 0
    amount: int = 1
    undo: bool = False
    source: int = 0
    offset: int = 0

    @property
    def weight(self) -> int:
        """As the score model says; own posts weigh nothing."""
        if self.kind == POST:
            return 0
        return MODEL.kind_weights[self.kind] * MODEL.class_weights[self.cls] * self.amount

    @property
    def undone(self) -> "Row":
        """The row that takes this one back."""
        return replace(self, undo=True)


def source_of(number: int) -> tuple[Topic, int]:
    """Topic and partition of the source with this number; below 0: of own posts."""
    if number < 0:
        return Topic.POSTS, -1 - number
    return Topic.of_kind(KINDS[number % len(KINDS)]), number // len(KINDS)


def numbered(rows: Iterable[Row]) -> list[Row]:
    """The rows with the offsets 0, 1, 2 ... in each source."""
    following: Counter[int] = Counter()
    result = []
    for row in rows:
        result.append(replace(row, offset=following[row.source]))
        following[row.source] += 1
    return result


def frame(
    rows: Sequence[Row],
    *,
    source: int | None = None,
    first: int | None = None,
    last: int | None = None,
    clock: int | None = None,
) -> Frame:
    """A frame of rows of one source; ``clock`` in ms, the end of the latest row's hour if None."""
    number = source if source is not None else rows[0].source
    topic, partition = source_of(number)
    start = first if first is not None else rows[0].offset
    header = FrameHeader(
        topic=topic,
        partition=partition,
        first=start,
        last=last if last is not None else (rows[-1].offset if rows else start),
        clock=clock if clock is not None else max(r.hour for r in rows) * HOUR + HOUR - 1,
        model=MODEL.version,
    )
    values = [
        (
            row.offset,
            0,
            row.hour * HOUR + 17,
            row.hour * HOUR + 99,
            row.kind,
            row.network,
            row.actor,
            row.target,
            None,
            row.cls,
            row.weight,
            row.amount,
            row.undo,
            hash64(row.actor),
            hash64(f"{row.source} {row.offset}"),
            0,
            row.hour * HOUR + 99 if row.undo else 0,
            False,
        )
        for row in rows
    ]
    return Frame(header, columns_of(values))


@dataclass(frozen=True)
class Counted:
    """What a cell holds, one number per horizon; ``distinct`` one tuple per class."""

    weights: tuple[int, ...]
    interactions: tuple[int, ...]
    distinct: tuple[tuple[int, ...], ...]
    posts: tuple[int, ...] = (0,) * len(MODEL.horizons_h)


def live(rows: Iterable[Row]) -> list[Row]:
    """The rows that no undo took back."""
    rows = list(rows)
    undone = Counter(replace(row, undo=False, offset=0) for row in rows if row.undo)
    left = []
    for row in rows:
        key = replace(row, offset=0)
        if row.undo or undone[key]:
            undone[key] -= not row.undo
        else:
            left.append(row)
    return left


def counted(rows: Iterable[Row], now: int) -> dict[tuple[str, int], Counted]:
    """Each (target, network) that holds anything in the longest horizon, from all rows so far."""
    cells: dict[tuple[str, int], list[Row]] = {}
    for row in live(rows):
        if now - MODEL.longest_h <= row.hour <= now:
            cells.setdefault((row.target, row.network), []).append(row)
    result = {}
    for cell, members in cells.items():
        inside = [
            [r for r in members if r.hour >= now - h and r.kind != POST] for h in MODEL.horizons_h
        ]
        own = [r for r in members if r.kind == POST]
        result[cell] = Counted(
            tuple(sum(r.weight for r in some) for some in inside),
            tuple(len(some) for some in inside),
            tuple(
                tuple(len({r.actor for r in some if r.cls >= c}) for some in inside)
                for c in range(len(MODEL.class_weights))
            ),
            tuple(sum(r.hour >= now - h for r in own) for h in MODEL.horizons_h),
        )
    return result


def plain_score(rows: Iterable[Row], target: str, now: int) -> int:
    """The score of an account in thousandths, in unbounded integers and without any cleverness."""
    model = MODEL
    rows = [r for r in live(rows) if r.target == target]
    received = [r.hour for r in rows if r.kind != POST and r.hour <= now]
    if not received:
        return 1000
    cells = counted(rows, now)
    total = 0
    for j, mu in enumerate(model.mu):
        values = []
        for network in range(len(NETWORKS)):
            cell = cells.get((target, network))
            if cell is None:
                continue
            d = [by_horizon[j] for by_horizon in cell.distinct] + [0]
            rest = sum(model.class_weights[c] * (d[c] - d[c + 1]) for c in range(1, 7))
            fresh = min(model.fresh_w * (d[0] - d[1]), model.fresh_free + model.fresh_mu * rest)
            once = rest + fresh
            twice = min(cell.weights[j], model.kappa * once) >> model.beta_shift
            e = min(once + twice, model.e_max)
            r = min(model.r0 * (cell.posts[j] + 1), model.r_max)
            values.append(e + model.rho * (e - e * r // (e + r)))
        total += mu * sum(x >> i for i, x in enumerate(sorted(values, reverse=True)))
    total >>= model.mu_shift
    silent = now - max(received)
    total = total * min(max(model.longest_h - silent, 0), model.fade_h) // model.fade_h
    inside = 1024 + 1024 * total // model.e0
    whole = inside.bit_length() - 1
    level = (whole << 16) + int(model.logs[(inside << 10 >> whole) & 1023]) - (10 << 16)
    return 1000 + min(99_000, level * 99_000 // model.top_q16)
