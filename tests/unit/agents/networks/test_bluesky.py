"""What a message of Jetstream says: interactions, posts, facts, undos, or a counted reason."""

from typing import Any

import pytest

from agents.networks.bluesky import LARGEST_MESSAGE, read
from agents.networks.found import Found, settle
from schemas.account import AccountFacts
from schemas.interaction import Interaction
from schemas.kinds import Kind
from schemas.post import Post
from tests.support import bluesky as sky
from tests.support.publishing import NOW

AT = sky.MICROS // 1000
AVA_POST, BEA_POST = sky.uri("ava", "3kaa"), sky.uri("bea", "3kbb")


def found(message: bytes) -> Found:
    return read(message, NOW)


def interactions(message: bytes, owners: dict[str, str] | None = None) -> list[Interaction]:
    draft = found(message).draft
    return settle(draft, (owners or {}).get).interactions if draft else []


def nobody(_key: str) -> str | None:
    """Knows no owner."""
    return None


def brief(message: bytes) -> list[tuple[str, str, str | None, str]]:
    """Kind, target, object and what its id has behind the record's."""
    return [
        (one.kind.value, one.target or "", one.object, one.id.removeprefix(one.record or "?"))
        for one in interactions(message)
    ]


@pytest.mark.parametrize(
    ("make", "kind", "collection"),
    [(sky.like, Kind.LIKE, sky.LIKE), (sky.repost, Kind.RETWEET, sky.REPOST)],
)
def test_a_like_and_a_repost_concern_the_author_of_their_subject(
    make: Any, kind: Kind, collection: str
) -> None:
    record = sky.uri("noor", "3kx", collection)
    assert interactions(make("noor", AVA_POST, "3kx")) == [
        Interaction(
            id=record,
            kind=kind,
            network="bluesky",
            actor=sky.account("noor"),
            target=sky.account("ava"),
            object=AVA_POST,
            record=record,
            at=AT,
            received_at=NOW,
        )
    ]
    result = found(make("noor", AVA_POST, "3kx"))
    assert (result.position, result.at) == (sky.MICROS, AT)
    assert (result.post, result.facts, result.undos, result.dropped) == (None, None, (), ())


def test_a_reply_is_a_comment_under_the_name_of_its_record() -> None:
    message = sky.post("noor", parent=AVA_POST)
    assert brief(message) == [("comment", sky.account("ava"), AVA_POST, "")]
    assert interactions(message)[0].record == sky.uri("noor", "3kp")


def test_a_mention_and_a_quote() -> None:
    message = sky.post("noor", mentions=("ava", "bea"), quote=sky.uri("cyd", "3kc"))
    assert brief(message) == [
        ("comment", sky.account("cyd"), sky.uri("cyd", "3kc"), "#comment:did:plc:cyd"),
        ("mention", sky.account("ava"), None, "#mention:did:plc:ava"),
        ("mention", sky.account("bea"), None, "#mention:did:plc:bea"),
    ]


def test_a_quote_beside_a_picture() -> None:
    embed = {
        "$type": "app.bsky.embed.recordWithMedia",
        "media": {"$type": "app.bsky.embed.images", "images": []},
        "record": {"$type": "app.bsky.embed.record", "record": {"uri": AVA_POST}},
    }
    message = sky.post("noor", embed=embed)
    assert brief(message) == [("comment", sky.account("ava"), AVA_POST, "#comment:did:plc:ava")]
    assert found(message).post == Post(
        id=sky.uri("noor", "3kp"),
        at=AT,
        network="bluesky",
        author=sky.account("noor"),
        media=("image", "quote"),
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"parent": AVA_POST, "mentions": ("ava",)}, ["comment ava"]),
        ({"parent": AVA_POST, "quote": sky.uri("ava", "3kother")}, ["comment ava"]),
        ({"quote": AVA_POST, "mentions": ("ava", "bea")}, ["comment ava", "mention bea"]),
        ({"mentions": ("ava", "bea", "ava", "ava")}, ["mention ava", "mention bea"]),
        ({"parent": AVA_POST, "quote": BEA_POST}, ["comment ava", "comment bea"]),
        ({"mentions": ("noor", "ava")}, ["mention ava"]),
        ({"parent": sky.uri("noor", "3k0"), "mentions": ("noor",)}, []),
    ],
)
def test_one_record_does_one_thing_to_one_account(
    fields: dict[str, Any], expected: list[str]
) -> None:
    message = sky.post("noor", **fields)
    said = interactions(message)
    names = [f"{one.kind.value} {(one.target or '').rpartition(':')[2]}" for one in said]
    assert names == expected
    assert len({one.id for one in said}) == len(said)
    assert found(message).post is not None


def test_what_folds_and_what_concerns_oneself_is_counted() -> None:
    draft = found(sky.post("noor", parent=AVA_POST, mentions=("ava", "noor", "noor"))).draft
    assert draft is not None
    assert settle(draft, nobody).dropped == ["folded", "self", "folded"]
    own = found(sky.like("ava", AVA_POST)).draft
    assert own is not None
    assert settle(own, nobody) == ([], [], ["self"])


def test_a_handle_stands_for_its_account_once_that_is_known() -> None:
    subject = "at://Ava.Example/app.bsky.feed.post/3kaa"
    message = sky.like("noor", subject)
    learned = found(sky.identity("ava", "AVA.example")).learned
    assert learned == (("bluesky handle ava.example", sky.account("ava")),)
    (one,) = interactions(message, dict(learned))
    assert (one.target, one.object) == (sky.account("ava"), subject)
    draft = found(message).draft
    assert draft is not None
    unsettled = settle(draft, nobody)
    assert unsettled.interactions == []
    ((waiting, key),) = unsettled.missing
    assert (waiting.target, key) == (None, "bluesky handle ava.example")


def test_a_handle_folds_with_what_names_its_account() -> None:
    message = sky.post("noor", parent="at://ava.example/app.bsky.feed.post/3", mentions=("ava",))
    owners = {"bluesky handle ava.example": sky.account("ava")}
    assert [one.kind for one in interactions(message, owners)] == [Kind.COMMENT]


def test_an_edit_may_only_add_mentions_under_the_ids_they_would_have_had() -> None:
    fields: dict[str, Any] = {"parent": AVA_POST, "quote": BEA_POST, "mentions": ("ava", "cyd")}
    created = sky.post("noor", **fields)
    edited = sky.post(
        "noor", operation="update", **fields | {"mentions": ("ava", "bea", "cyd", "dov")}
    )
    said = interactions(edited)
    assert [one.target for one in said] == [sky.account("cyd"), sky.account("dov")]
    assert {one.kind for one in said} == {Kind.MENTION}
    assert said[0].id in {one.id for one in interactions(created)}
    result = found(edited)
    assert (result.post, result.dropped) == (None, ("edited",))


@pytest.mark.parametrize("make", [sky.like, sky.repost])
def test_an_edited_like_or_repost_keeps_its_first_subject(make: Any) -> None:
    result = found(make("noor", AVA_POST, operation="update"))
    assert (result.draft, result.dropped) == (None, ("edited",))


@pytest.mark.parametrize(
    ("collection", "kinds"),
    [
        (sky.LIKE, [Kind.LIKE]),
        (sky.REPOST, [Kind.RETWEET]),
        (sky.POST, [Kind.COMMENT, Kind.MENTION]),
    ],
)
def test_a_deletion_is_an_undo_of_the_record_wherever_it_may_have_counted(
    collection: str, kinds: list[Kind]
) -> None:
    result = found(sky.delete("noor", collection, "3kx"))
    record = sky.uri("noor", "3kx", collection)
    assert [undo.kind for undo in result.undos] == kinds
    for undo in result.undos:
        assert undo == Interaction(
            id=f"undo:{record}",
            kind=undo.kind,
            network="bluesky",
            actor=sky.account("noor"),
            record=record,
            at=AT,
            received_at=NOW,
            undo=True,
        )
    deleted = Post(id=record, at=AT, network="bluesky", author=sky.account("noor"), undo=True)
    assert result.post == (deleted if collection == sky.POST else None)
    assert result.draft is None


@pytest.mark.parametrize(
    ("embed", "media"),
    [
        (None, ()),
        ({"$type": "app.bsky.embed.images"}, ("image",)),
        ({"$type": "app.bsky.embed.video"}, ("video",)),
        ({"$type": "app.bsky.embed.external", "external": {}}, ("link",)),
        ({"$type": "app.bsky.embed.record", "record": {"uri": AVA_POST}}, ("quote",)),
        ({"$type": "app.example.unheard"}, ()),
        ("text", ()),
    ],
)
def test_a_posts_media(embed: Any, media: tuple[str, ...]) -> None:
    post = found(sky.post("noor", embed=embed)).post
    assert post is not None
    assert post.media == media


def test_a_posts_topics_are_its_hashtags_each_once_and_not_too_many() -> None:
    fields = {"tags": ("Sailing", "rust", "sailing", " \x1b[1mbold "), "parent": AVA_POST}
    record = sky.post_record(**fields)  # type: ignore[arg-type]
    record["tags"] = ["Boats", 7, "", "RUST"]
    post = found(sky.commit("noor", sky.POST, "3kp", record)).post
    assert post is not None
    assert post.topics == ("boats", "rust", "sailing", "[1mbold")
    many = found(sky.post("noor", tags=tuple(f"t{n}" for n in range(99)))).post
    assert many is not None
    assert len(many.topics) == 32


def test_mentions_are_bounded() -> None:
    message = sky.post("noor", mentions=tuple(f"n{n}" for n in range(150)))
    assert len(interactions(message)) == 100
    assert found(message).dropped == ("too many mentions",)


@pytest.mark.parametrize("operation", ["create", "update"])
def test_a_profile_gives_facts(operation: str) -> None:
    record = {
        "$type": sky.PROFILE,
        "displayName": " Ava \x1b[31m\u202eN. ",
        "avatar": {"$type": "blob", "ref": {"$link": "bafkreiab"}, "mimeType": "image/jpeg"},
    }
    message = sky.commit("ava", sky.PROFILE, "self", record, operation=operation)
    assert found(message).facts == AccountFacts(
        account=sky.account("ava"),
        at=AT,
        name="Ava [31mN.",
        avatar="https://cdn.bsky.app/img/avatar/plain/did:plc:ava/bafkreiab@jpeg",
    )


def test_a_profile_of_strange_things_gives_what_is_sound() -> None:
    record = {"displayName": ["x"], "avatar": {"ref": {"$link": "../../etc"}}}
    facts = found(sky.commit("ava", sky.PROFILE, "self", record)).facts
    assert facts == AccountFacts(account=sky.account("ava"), at=AT)


def test_an_identity_gives_the_handle() -> None:
    result = found(sky.identity("ava", "Ava.Example"))
    assert result.facts == AccountFacts(account=sky.account("ava"), at=AT, handle="ava.example")


@pytest.mark.parametrize("handle", [None, "handle.invalid", "no-dot", "sp ace.example", "a" * 300])
def test_an_identity_without_a_handle_is_counted(handle: str | None) -> None:
    result = found(sky.identity("ava", handle))
    assert result == Found(position=sky.MICROS, at=AT, dropped=("identity without handle",))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (sky.commit("ava", "app.bsky.graph.follow", "3k", {"subject": "did:plc:bea"}), "follow"),
        (sky.commit("ava", "app.bsky.graph.follow", "3k", operation="delete"), "follow"),
        (sky.commit("ava", "app.bsky.graph.block", "3k", {"subject": "did:plc:bea"}), "block"),
        (sky.commit("ava", "org.example.thing", "did:plc:x::y/z", {}), "other collection"),
        (sky.delete("ava", sky.PROFILE, "self"), "profile deleted"),
        (sky.event("ava", "account", account={"active": True}), "account status"),
        (
            sky.event("ava", "account", account={"active": False, "status": "deleted"}),
            "account deleted",
        ),
        (
            sky.event("ava", "account", account={"active": False, "status": "made up"}),
            "account status",
        ),
        (sky.event("ava", "sync"), "other event"),
    ],
)
def test_what_is_sound_and_no_interaction_is_counted_by_reason(message: bytes, reason: str) -> None:
    assert found(message) == Found(position=sky.MICROS, at=AT, dropped=(reason,))


LONG = "k" * 300


@pytest.mark.parametrize(
    ("message", "reason", "detail"),
    [
        (b"", "not a message", "truncated"),
        (b"\xff\xfe", "not a message", ""),
        (b"[" * 100_000, "not a message", ""),
        (b"[]", "not a message", "no JSON object"),
        (b'{"time_us": true}', "not a message", "no time_us"),
        (b'{"time_us": 1.7e15, "did": "did:plc:ava"}', "not a message", "no time_us"),
        (b'{"clock": 1759999000000}', "not a message", "no time_us"),
        (b" " * (LARGEST_MESSAGE + 1), "too long", "1048577 bytes"),
        (sky.like("ava", BEA_POST, time_us=NOW), "absurd time", "before 2004"),
        (sky.like("ava", BEA_POST, time_us=(NOW + 400_000) * 1000), "absurd time", "5 minutes"),
        (sky.like("ava", BEA_POST, time_us=1 << 80), "absurd time", "5 minutes"),
        (sky.event("", "commit"), "not a message", "its did"),
        (sky.event("a" * 300, "commit"), "not a message", "its did"),
        (sky.event("a b", "commit"), "not a message", "its did"),
        (sky.event("ava", "commit"), "not a message", "without a commit"),
        (sky.commit("ava", "", "3k", {}), "not a message", "without a collection"),
        (sky.commit("ava", sky.LIKE, "3k", {}, operation="burn"), "bad record", "operation"),
        (sky.commit("ava", sky.LIKE, LONG, {}), "bad record", "rkey"),
        (sky.commit("ava", sky.LIKE, "a/b", {}), "bad record", "rkey"),
        (sky.commit("ava", sky.POST, "3k"), "bad record", "without the record"),
        (sky.commit("ava", sky.LIKE, "3k", {"subject": 7}), "bad record", "AT URI"),
        (sky.like("ava", "https://example.org/"), "bad record", "AT URI"),
        (sky.like("ava", "at://did:plc:bea/x y"), "bad record", "AT URI"),
        (sky.like("ava", f"at://did:plc:bea/{sky.POST}/{LONG}"), "bad record", "AT URI"),
        (sky.like("ava", "at://nobody/app.bsky.feed.post/1"), "bad record", "AT URI"),
    ],
)
def test_what_is_no_message_or_no_record_is_for_the_dead_letters(
    message: bytes, reason: str, detail: str
) -> None:
    result = found(message)
    assert result.trouble is not None
    assert result.trouble.reason == reason
    assert detail in result.trouble.detail
    assert result.draft is None
    assert result.post is None
    assert result.undos == ()


def test_a_bad_record_still_says_how_far_the_source_is() -> None:
    assert found(sky.commit("ava", sky.POST, "3k")).position == sky.MICROS
    assert found(sky.like("ava", BEA_POST, time_us=NOW)).position == 0, "its time is not believed"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"reply": {"parent": {"uri": "at://x y"}}}, "unreadable reply"),
        ({"reply": 7}, "unreadable reply"),
        ({"embed": {"$type": "app.bsky.embed.record", "record": {}}}, "unreadable quote"),
        ({"mentions": ("a b",)}, "unreadable mention"),
    ],
)
def test_what_cannot_be_read_in_a_post_costs_that_part_only(
    fields: dict[str, Any], reason: str
) -> None:
    mentions = ("bea", *fields.pop("mentions", ()))
    message = sky.post("noor", mentions=mentions, **fields)
    assert [one.target for one in interactions(message)] == [sky.account("bea")]
    assert found(message).dropped == (reason,)
    assert found(message).post is not None
