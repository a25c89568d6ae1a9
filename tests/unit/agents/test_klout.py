"""Klout's lines."""

import pytest

from agents.formats import klout
from agents.source import ABSURD_TIME, SELF, Accepted, Dropped, Item, Line, Rejected
from schemas.kinds import Kind
from tests.support.publishing import NOW

HEADER = b"#user_id_fingerprint\t#actor_id_fingerprint\t#post_id_fingerprint\t#post_timestamp"
LINE = b"-348\t107\t-455\t1413331199002\t1413331280999\tPacific Standard Time"


def items(*bodies: bytes, network: str = "twitter") -> list[Item]:
    lines = [Line(number, body) for number, body in enumerate(bodies, 1)]
    return list(klout.items(lines, NOW, network=network))


@pytest.mark.parametrize(
    ("network", "kind"), [("twitter", Kind.RETWEET), ("facebook", Kind.COMMENT)]
)
def test_a_line_is_a_reaction_to_a_post(network: str, kind: Kind) -> None:
    (item,) = items(HEADER, LINE, b"", network=network)
    assert isinstance(item, Accepted)
    assert item.line == 2
    found = item.interaction
    assert (found.kind, found.network, found.object) == (kind, network, "-455")
    assert (found.actor, found.target) == (f"{network}:107", f"{network}:-348")
    assert found.at == 1_413_331_280_999


def test_two_reactions_to_two_posts_have_two_ids() -> None:
    one, other = items(LINE, LINE.replace(b"-455", b"-456"))
    assert isinstance(one, Accepted)
    assert isinstance(other, Accepted)
    assert one.interaction.id != other.interaction.id


def test_reactions_to_oneself_drop() -> None:
    assert items(LINE.replace(b"107", b"-348")) == [Dropped(1, SELF)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (LINE.replace(b"\t", b" "), "not a Klout line"),
        (LINE + b"\tmore", "not a Klout line"),
        (LINE.replace(b"107", b""), "not a Klout line"),
        (b"\x00", "not a Klout line"),
        (LINE.replace(b"1413331280999", b"1413331280"), ABSURD_TIME),
    ],
)
def test_what_is_no_line_is_rejected(body: bytes, reason: str) -> None:
    (item,) = items(body)
    assert isinstance(item, Rejected)
    assert (item.reason, item.raw) == (reason, body)
