"""Renown's own lines: published as they are, or told apart."""

from typing import Any

import msgspec
import pytest

from agents.formats import jsonl
from agents.source import ABSURD_TIME, SELF, TOO_LONG, Accepted, Beat, Dropped, Item, Line, Rejected
from tests.support.interactions import MINUTE, NOON, interaction
from tests.support.publishing import NOW


def item(body: bytes) -> Item:
    (found,) = jsonl.items([Line(1, body)], NOW)
    return found


def line(**changes: Any) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(interaction()) | changes)


def test_an_interaction_is_published_byte_by_byte() -> None:
    body = line(unknown="field", received_at=NOON + 7) + b"  "
    found = item(body)
    assert isinstance(found, Accepted)
    assert found.raw == body
    assert found.interaction == interaction(received_at=NOON + 7)


def test_an_undo_of_a_record_needs_no_target() -> None:
    fields = msgspec.to_builtins(interaction(undo=True, record="r", target=None))
    assert isinstance(item(msgspec.json.encode(fields)), Accepted)


def test_a_heartbeat_is_one() -> None:
    assert item(b'{"clock": %d, "agent": "x"}' % NOON) == Beat(1, NOON)


def test_self_interactions_drop() -> None:
    assert item(line(target="twitter:ada")) == Dropped(1, SELF)


def test_blank_lines_give_nothing() -> None:
    assert not list(jsonl.items([Line(1, b""), Line(2, b" \t")], NOW))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b"\x00\xff\xfe",
        line(kind="poke"),
        line(at="yesterday"),
        line(network="pigeonpost"),
        line(amount=0),
        line(target=None),
        line(v=2),
        b'{"clock": "now"}',
        b"[" * 100_000,
        b'{"id":"\\ud83d"}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_broken_lines_are_rejected_as_they_are(body: bytes) -> None:
    found = item(body)
    assert isinstance(found, Rejected)
    assert (found.reason, found.raw) == ("not an interaction", body)
    assert found.detail
    assert len(found.detail) <= 200


@pytest.mark.parametrize(
    "body",
    [
        line(at=1_072_915_199_999),
        line(at=NOON + 6 * MINUTE, received_at=NOON),
        line(at=NOW + 6 * MINUTE, received_at=NOW + 6 * MINUTE),
        b'{"clock": %d}' % (NOW + 6 * MINUTE),
    ],
)
def test_absurd_times_are_rejected(body: bytes) -> None:
    found = item(body)
    assert isinstance(found, Rejected)
    assert found.reason == ABSURD_TIME


def test_a_line_that_was_cut_is_rejected() -> None:
    (found,) = jsonl.items([Line(1, line(), cut=True)], NOW)
    assert isinstance(found, Rejected)
    assert found.reason == TOO_LONG
