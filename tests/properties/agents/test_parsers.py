"""Laws of the parsers: total on any bytes, every line accounted for, ids that never change."""

import gzip
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.formats import Format, jsonl, klout, parser_of, snap
from agents.lines import LineFile
from agents.source import Accepted, Beat, Dropped, Item, Line, Rejected
from agents.sources.replay import Replay
from schemas.interaction import Interaction
from tests.support.interactions import interaction
from tests.support.publishing import NOW, MemoryOutlet, StillClock

SOUND = {
    Format.SNAP: b"376989 50329 1341101181 RT",
    Format.KLOUT: b"-348\t107\t-455\t1413331199002\t1413331280999\tPacific Standard Time",
    Format.JSONL: msgspec.json.encode(interaction(object="o", record="r", undo=True, amount=3)),
}
FORMATS = list(Format)


@st.composite
def mutated(draw: st.DrawFn, sound: bytes) -> bytes:
    """``sound`` with some bytes replaced, inserted or left out."""
    body = bytearray(sound)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(body).replace(b"\n", b" ")


def bodies(format: Format) -> st.SearchStrategy[list[bytes]]:
    one = mutated(SOUND[format]) | st.binary(max_size=80).map(lambda b: b.replace(b"\n", b" "))
    return st.lists(one, max_size=12)


def items(format: Format, lines: list[bytes]) -> list[Item]:
    numbered = [Line(number, body) for number, body in enumerate(lines, 1)]
    return list(parser_of(format, Path("f_tw.tsv"))(numbered, NOW))


@pytest.mark.parametrize("format", FORMATS)
@given(data=st.data())
def test_every_line_is_accounted_for_in_order(format: Format, data: st.DataObject) -> None:
    lines = data.draw(bodies(format))
    found = items(format, lines)
    empty = sum(
        not body.strip() or (format is not Format.JSONL and body.startswith(b"#")) for body in lines
    )
    folded = sum(item.folded for item in found if isinstance(item, Accepted | Dropped))
    assert len(found) + folded + empty == len(lines)
    numbers = [item.line for item in found]
    assert numbers == sorted(set(numbers))
    for item in found:
        if isinstance(item, Rejected):
            assert item.raw == lines[item.line - 1]
            assert item.reason
            assert item.detail
        elif isinstance(item, Accepted):
            # What is accepted is an interaction by the letter of the schema.
            again = msgspec.json.decode(msgspec.json.encode(item.interaction), type=Interaction)
            assert again == item.interaction
            assert again.target != again.actor
        else:
            assert isinstance(item, Beat | Dropped)


@pytest.mark.parametrize("format", FORMATS)
@given(data=st.data())
def test_ids_depend_on_the_line_alone(format: Format, data: st.DataObject) -> None:
    lines = data.draw(bodies(format))
    later = [Line(number, body) for number, body in enumerate(lines, 1001)]
    again = list(parser_of(format, Path("f_tw.tsv"))(later, NOW + 86_400_000))

    def ids(found: list[Item]) -> list[str]:
        return [item.interaction.id for item in found if isinstance(item, Accepted)]

    assert ids(items(format, lines)) == ids([i for i in again if not _only_now_true(i)])


def _only_now_true(item: Item) -> bool:
    return isinstance(item, Accepted) and item.interaction.at > NOW + 300_000


EDGES = st.lists(
    st.builds(
        lambda actor, target, second, kind: b"%d %d %d %s" % (actor, target, second, kind),
        st.integers(1, 3),
        st.integers(1, 3),
        st.integers(1_341_100_800, 1_341_100_802),
        st.sampled_from([b"RT", b"MT", b"RE"]),
    ),
    max_size=30,
)


@given(EDGES)
def test_a_file_read_backwards_gives_as_many_of_each(lines: list[bytes]) -> None:
    """As long as no two lines are alike: then it is open which of three fold."""
    lines = list(dict.fromkeys(lines))

    def ids(found: list[Item]) -> list[str]:
        return sorted(item.interaction.id for item in found if isinstance(item, Accepted))

    assert ids(items(Format.SNAP, lines)) == ids(items(Format.SNAP, lines[::-1]))


@given(EDGES, st.integers(0, 30))
def test_a_parser_can_start_behind_any_item(lines: list[bytes], cut: int) -> None:
    found = items(Format.SNAP, lines)
    done = found[:cut]
    skip = done[-1].line if done else 0
    rest = [Line(number, body) for number, body in enumerate(lines, 1)][skip:]
    assert [*done, *snap.items(rest, NOW)] == found


@pytest.mark.parametrize(
    "parse", [jsonl.items, lambda lines, at: klout.items(lines, at, network="x")]
)
@given(lines=st.lists(st.binary(max_size=60), max_size=5))
def test_parsers_are_lazy(parse: Callable[..., object], lines: list[bytes]) -> None:
    def endless() -> object:
        number = 0
        while True:
            number += 1
            yield Line(number, b"x" + lines[number % len(lines)] if lines else b"x")

    found = parse(endless(), NOW)
    assert isinstance(next(found), Rejected)  # type: ignore[call-overload]


@given(st.binary(max_size=2000), st.booleans())
def test_lines_of_a_file_are_its_bytes(body: bytes, packed: bool) -> None:
    body = body.removeprefix(b"\xef\xbb\xbf")
    if body[:2] == b"\x1f\x8b":
        body = b" " + body
    with TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        path.write_bytes(gzip.compress(body) if packed else body)
        with LineFile(path) as file:
            found = [line.body for line in file.lines()]
    wanted = body.split(b"\n")
    if not wanted[-1]:
        wanted.pop()
    assert found == [line.removesuffix(b"\r") for line in wanted]


@pytest.mark.parametrize("format", FORMATS)
@given(data=st.data())
def test_a_replay_counts_every_line_once_and_publishes_all_it_counts(
    format: Format, data: st.DataObject
) -> None:
    lines = [SOUND[format], *data.draw(bodies(format))]
    until = data.draw(st.none() | st.just(1_341_101_182_000))
    outlet = MemoryOutlet()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "f_tw"
        path.write_bytes(b"\n".join(lines))
        report = Replay(path, format, outlet, until=until, clock=StillClock()).run()
    rejected = sum(report.rejected.values())
    assert report.read == (
        report.folded
        + report.self_dropped
        + rejected
        + report.published_total
        + report.heartbeats
        + report.beyond
    )
    beats = 20 * len(outlet.clocks)
    assert len(outlet.sent) == report.published_total + rejected + beats
    assert outlet.clocks == sorted(set(outlet.clocks))
