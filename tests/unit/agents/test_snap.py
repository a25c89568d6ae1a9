"""SNAP lines: what each gives, and how twins fold."""

import pytest

from agents.formats import snap
from agents.source import ABSURD_TIME, SELF, TOO_LONG, Accepted, Dropped, Item, Line, Rejected
from schemas.kinds import Kind
from tests.support.publishing import NOW


def items(*bodies: bytes) -> list[Item]:
    lines = [Line(number, body) for number, body in enumerate(bodies, 1)]
    return list(snap.items(lines, NOW))


def summary(item: Item) -> tuple[int, object, int]:
    match item:
        case Accepted(line, interaction, folded):
            return line, interaction.kind, folded
        case Dropped(line, reason, folded):
            return line, reason, folded
        case Rejected(line, reason):
            return line, reason, 0
        case _:
            raise AssertionError(item)


def test_a_line_is_an_interaction_of_its_first_user_with_its_second() -> None:
    (item,) = items(b"376989 50329 1341101181 RT")
    assert isinstance(item, Accepted)
    assert item.interaction.kind is Kind.RETWEET
    assert item.interaction.actor == "twitter:376989"
    assert item.interaction.target == "twitter:50329"
    assert item.interaction.at == 1_341_101_181_000
    assert item.interaction.network == "twitter"
    assert item.raw is None


def test_the_id_is_stable() -> None:
    (item,) = items(b"376989 50329 1341101181 RT")
    (tabbed,) = items(b" 376989\t50329  1341101181 RT ")
    assert isinstance(item, Accepted)
    assert isinstance(tabbed, Accepted)
    assert item.interaction.id == tabbed.interaction.id == "h543cc55991775f3d"


def test_the_network_can_be_named() -> None:
    lines = [Line(1, b"1 2 1341101181 MT")]
    (item,) = snap.items(lines, NOW, network="mastodon")
    assert isinstance(item, Accepted)
    assert (item.interaction.network, item.interaction.actor) == ("mastodon", "mastodon:1")


@pytest.mark.parametrize(("first", "second"), [(b"MT", b"RE"), (b"RE", b"MT")])
def test_twins_are_one_comment(first: bytes, second: bytes) -> None:
    found = items(b"1 2 1341101181 " + first, b"1 2 1341101181 " + second)
    assert [summary(item) for item in found] == [(2, Kind.COMMENT, 1)]


@pytest.mark.parametrize(
    "other",
    [b"1 2 1341101182 RE", b"1 3 1341101181 RE", b"3 2 1341101181 RE"],
)
def test_lines_that_differ_in_time_or_user_are_no_twins(other: bytes) -> None:
    found = items(b"1 2 1341101181 MT", other)
    assert [summary(item) for item in found] == [(1, Kind.MENTION, 0), (2, Kind.COMMENT, 0)]


def test_a_retweet_and_a_mention_are_no_twins() -> None:
    found = items(b"1 2 1341101181 MT", b"1 2 1341101181 RT")
    assert [summary(item) for item in found] == [(1, Kind.MENTION, 0), (2, Kind.RETWEET, 0)]


def test_a_pair_folds_once() -> None:
    twin = b"1 2 1341101181 "
    found = items(twin + b"MT", twin + b"RE", twin + b"MT")
    assert [summary(item) for item in found] == [(2, Kind.COMMENT, 1), (3, Kind.MENTION, 0)]


def test_twins_fold_before_self_interactions_drop() -> None:
    found = items(b"7 7 1341101181 MT", b"7 7 1341101181 RE", b"7 7 1341101181 RT")
    assert [summary(item) for item in found] == [(2, SELF, 1), (3, SELF, 0)]


def test_a_bad_line_does_not_hold_up_what_came_before() -> None:
    found = items(b"1 2 1341101181 MT", b"what?", b"1 2 1341101181 RE")
    assert [summary(item) for item in found] == [
        (1, Kind.MENTION, 0),
        (2, "not a SNAP line", 0),
        (3, Kind.COMMENT, 0),
    ]


def test_blank_lines_and_comments_give_nothing_but_count_as_lines() -> None:
    found = items(b"# actor target time kind", b"", b"  ", b"1 2 1341101181 RT")
    assert [summary(item) for item in found] == [(4, Kind.RETWEET, 0)]


@pytest.mark.parametrize(
    "body",
    [
        b"1 2 1341101181",
        b"1 2 1341101181 RT extra",
        b"1 2 1341101181 XX",
        b"1 2 1341101181 rt",
        b"1 2 -5 RT",
        b"1 2 1_341_101_181 RT",
        b"1 2 1341101181.5 RT",
        b"\xff 2 1341101181 RT",
        b"1 \x00 1341101181 RT",
        b"1" * 300 + b" 2 1341101181 RT",
        "1 2 \u0661\u0661 RT".encode(),
    ],
)
def test_what_is_no_line_is_rejected_as_it_is(body: bytes) -> None:
    (item,) = items(body)
    assert isinstance(item, Rejected)
    assert (item.line, item.reason, item.raw) == (1, "not a SNAP line", body)


@pytest.mark.parametrize("seconds", [0, 1_072_915_199, 1_341_101_181_000, NOW // 1000 + 301])
def test_absurd_times_are_rejected(seconds: int) -> None:
    (item,) = items(b"1 2 %d RT" % seconds)
    assert summary(item) == (1, ABSURD_TIME, 0)


@pytest.mark.parametrize("seconds", [1_072_915_200, NOW // 1000 + 300])
def test_the_bounds_of_time_are_inside(seconds: int) -> None:
    (item,) = items(b"1 2 %d RT" % seconds)
    assert isinstance(item, Accepted)


def test_a_line_that_was_cut_is_rejected() -> None:
    (item,) = snap.items([Line(1, b"1 2 1341101181 RT", cut=True)], NOW)
    assert summary(item) == (1, TOO_LONG, 0)
