"""Whether the crash tests would notice what a checkpoint holds wrongly of a single kind."""

from collections.abc import Iterable

import pytest

from schemas.kinds import ROW_KINDS
from schemas.networks import NETWORK_INDEX
from streams.core.windows import Windows
from tests.crash import judge
from tests.crash.formula import ORDINARY
from tests.crash.kinds import in_windows
from tests.crash.load import Load
from tests.support.cells import NamedWindows
from tests.support.weighed import Row

_PARTITIONS = 4


@pytest.fixture(scope="module")
def rows() -> dict[str, list[judge.Row]]:
    """By target, what came of a load."""
    heard = judge.Judge(_PARTITIONS)
    for number, record in enumerate(Load("kinds", _PARTITIONS).chunk(2_000)):
        heard.hear((record.topic, record.partition, number), record.value)
    return heard.verdict.by_target()


def test_the_same_rows_do_not_differ(rows: dict[str, list[judge.Row]]) -> None:
    assert in_windows(windows_of(each for theirs in rows.values() for each in theirs), rows) == []


def test_an_interaction_of_another_kind_of_the_same_weight(
    rows: dict[str, list[judge.Row]],
) -> None:
    windows = windows_of(each for theirs in rows.values() for each in theirs)
    account, theirs = max(rows.items(), key=lambda item: len(item[1]))
    place = next(n for n, row in enumerate(theirs) if row.kind == "comment" and not row.undo)
    other = theirs[place]._replace(kind="retweet")
    changed = rows | {account: [*theirs[:place], other, *theirs[place + 1 :]]}
    (difference,) = in_windows(windows, changed)
    assert account in difference


def windows_of(rows: Iterable[judge.Row]) -> Windows:
    """What the engine counts of them."""
    windows = NamedWindows()
    counted = [
        Row(
            row.actor,
            row.target,
            row.at // judge.HOUR_MS,
            ROW_KINDS.index(row.kind),
            ORDINARY,
            NETWORK_INDEX[row.network],
            row.amount,
            row.undo,
        )
        for row in rows
    ]
    windows.advance(max(row.hour for row in counted))
    windows.apply(counted)
    return windows.windows
