"""Recorded messages of Jetstream, each line mapped exactly, where the public data is at hand."""

import json
from typing import Any, Final

import pytest

from agents.networks.bluesky import read
from agents.networks.found import Found, settle
from schemas.kinds import Kind
from tests.support import bluesky as sky
from tests.support.data import data_file

RECEIVED: Final = 1_790_000_000_000
"""2026-09-21, after everything recorded."""

FEED: Final = "app.bsky.feed."


def nobody(_key: str) -> str | None:
    return None


def lines(name: str) -> list[bytes]:
    return data_file(f"payloads/bluesky/{name}").read_bytes().splitlines()


def brief(found: Found) -> str:
    """All that a message gave, in one line: kind, actor's key and target, or what it was."""
    parts = [f"dropped {reason}" for reason in found.dropped]
    if found.trouble:
        parts.append(f"trouble {found.trouble.reason}")
    if found.draft:
        settled = settle(found.draft, nobody)
        assert settled.missing == []
        assert settled.dropped == []
        for one in settled.interactions:
            assert one.record == one.id
            assert one.network == "bluesky"
            assert one.at == found.at == found.position // 1000
            assert one.id.startswith(f"at://{one.actor.removeprefix('bluesky:')}/{FEED}")
            assert (one.object or "").startswith(
                f"at://{(one.target or '').removeprefix('bluesky:')}/{FEED}post/"
            )
            key = one.id.rpartition("/")[2]
            target = (one.target or "").rpartition(":")[2]
            parts.append(f"{one.kind.value} {key} {target}")
    if found.post:
        parts.append(f"post {found.post.id.rpartition('/')[2]}")
    if found.facts:
        parts.append(f"facts {found.facts.account}")
    assert found.undos == ()
    return ", ".join(parts)


EXPECTED: Final = {
    "jetstream_v1_kinds_golden.jsonl": [
        "like 3mmoojp7etg2g vfnmgxg2yscfliemmcxzyfyh",
        "comment 3mmoojp4cd223 j76trmiofvaxxpvx2vnb2vwf, post 3mmoojp4cd223",
        "retweet 3mmoojpbade2i hjloomm2tkve3pmfgbxegl3v",
        "dropped follow",
        "facts bluesky:did:plc:o6t5vwyr7ae73foww7bgye4r",
        "dropped other collection",
        "dropped other collection",
        "dropped identity without handle",
        "dropped account status",
        "dropped block",
    ],
    "jsonbench_head10_2024-11-21.jsonl": [
        "comment 3lbhtyteurk2y 6tr6tuzlx2db3rduzr2d6r24, post 3lbhtyteurk2y",
        "like 3lbhuvzdked2a azrv4rcbws6kmcga4fsbphg2",
        "dropped follow",
        "like 3lbhueiizcx22 fusulxqc52zbrc75fi6xrcof",
        "comment 3lbhtytjqzk2q 6wx2gg5yqgvmlu35r6y3bk6d, post 3lbhtytjqzk2q",
        "dropped follow",
        "dropped follow",
        "retweet 3lbhus5vbtz2t o5q6dynpme4ndolc3heztasm",
        "comment 3lbhuvxf4qs2m zec6cslvgc3hhdatrhk6pq5p, post 3lbhuvxf4qs2m",
        "like 3lbhuvzdyof2j ig2jv6gqup4t7gdq2pmanknw",
    ],
    # The second wire format is not ours: it is noticed, never mistaken.
    "jetstream_v2_wire_samples_2026-08-11.jsonl": ["trouble not a message"] * 4,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_recorded_line_is_mapped_or_counted(name: str) -> None:
    found = [read(line, RECEIVED) for line in lines(name)]
    assert [brief(each) for each in found] == EXPECTED[name]


def test_the_recorded_profile() -> None:
    line = lines("jetstream_v1_kinds_golden.jsonl")[4]
    facts = read(line, RECEIVED).facts
    assert facts is not None
    assert facts.name == json.loads(line)["commit"]["record"]["displayName"]
    assert facts.avatar == (
        "https://cdn.bsky.app/img/avatar/plain/did:plc:o6t5vwyr7ae73foww7bgye4r/"
        "bafkreieajxclqzwk2mczx7hxmoboqpuiveqlbm35gsda5xlaqfmlryu4ri@jpeg"
    )
    assert facts.at == 1_779_719_010_689


def loaded(name: str) -> Any:
    return json.loads(data_file(f"payloads/bluesky/{name}").read_bytes())


def test_the_recorded_mention_and_quote() -> None:
    mention, quote = loaded("post_records_mention_and_quote.json")
    said = []
    for record in (mention, quote):
        draft = read(sky.commit("noor", sky.POST, "3kp", record), RECEIVED).draft
        assert draft is not None
        (one,) = settle(draft, nobody).interactions
        said.append((one.kind, one.target, one.object))
    assert said == [
        (Kind.MENTION, "bluesky:did:plc:lwzhsl7oj5h7kngqvyfuyt4j", None),
        (
            Kind.COMMENT,
            "bluesky:did:plc:w2lp43mnd2d2yxwf77t5tdmk",
            "at://did:plc:w2lp43mnd2d2yxwf77t5tdmk/app.bsky.feed.post/3mc3adtkots22",
        ),
    ]


def test_the_recorded_like() -> None:
    stored = loaded("like_record.json")
    message = sky.commit("noor", sky.LIKE, "3k5u7c7j7a52v", stored["value"])
    draft = read(message, RECEIVED).draft
    assert draft is not None
    (one,) = settle(draft, nobody).interactions
    assert (one.kind, one.target, one.object) == (
        Kind.LIKE,
        "bluesky:did:plc:kvwvcn5iqfooopmyzvb4qzba",
        stored["value"]["subject"]["uri"],
    )
    # The one who liked it owns the post as well: from its true actor it is a self-interaction.
    own = {"did": "did:plc:kvwvcn5iqfooopmyzvb4qzba"}
    event = json.loads(message) | own
    draft = read(json.dumps(event).encode(), RECEIVED).draft
    assert draft is not None
    assert settle(draft, nobody) == ([], [], ["self"])
