"""Messages as Jetstream sends them, about made-up accounts."""

import json
from typing import Any

MICROS = 1_759_999_000_000_000
"""2025-10-09 in µs: event time of the first message, before tests' NOW."""

LIKE = "app.bsky.feed.like"
REPOST = "app.bsky.feed.repost"
POST = "app.bsky.feed.post"
PROFILE = "app.bsky.actor.profile"


def did(name: str) -> str:
    """The DID of a made-up account."""
    return f"did:plc:{name}"


def account(name: str) -> str:
    """The same account as Renown writes it."""
    return f"bluesky:{did(name)}"


def uri(name: str, key: str, collection: str = POST) -> str:
    """The AT URI of a record of ``name``."""
    return f"at://{did(name)}/{collection}/{key}"


def event(actor: str, kind: str, time_us: int = MICROS, **parts: Any) -> bytes:
    """A message of any kind."""
    return json.dumps({"did": did(actor), "time_us": time_us, "kind": kind, **parts}).encode()


def commit(
    actor: str,
    collection: str,
    key: str,
    record: Any = None,
    *,
    operation: str = "create",
    time_us: int = MICROS,
    **changes: Any,
) -> bytes:
    """A commit; without a ``record`` there is none in it."""
    content = {
        "rev": "3kaaaaaaaaa2a",
        "operation": operation,
        "collection": collection,
        "rkey": key,
    }
    if record is not None:
        content |= {"record": record, "cid": "bafyreiaaaa"}
    return event(actor, "commit", time_us, commit=content | changes)


def like(actor: str, subject: str, key: str = "3kl", **options: Any) -> bytes:
    """A like of the record at the AT URI ``subject``."""
    return commit(actor, LIKE, key, _strong(LIKE, subject), **options)


def repost(actor: str, subject: str, key: str = "3kr", **options: Any) -> bytes:
    """A repost of it."""
    return commit(actor, REPOST, key, _strong(REPOST, subject), **options)


def post_record(
    *,
    parent: str | None = None,
    mentions: tuple[str, ...] = (),
    quote: str | None = None,
    tags: tuple[str, ...] = (),
    **fields: Any,
) -> dict[str, Any]:
    """A post: ``parent`` and ``quote`` are AT URIs, ``mentions`` names."""
    record: dict[str, Any] = {"$type": POST, "text": "some text", "langs": ["en"]}
    if parent:
        record["reply"] = {"parent": {"uri": parent, "cid": "b"}, "root": {"uri": uri("root", "1")}}
    if quote:
        record["embed"] = {
            "$type": "app.bsky.embed.record",
            "record": {"uri": quote, "cid": "bafyreiaaaa"},
        }
    features = [
        {"$type": "app.bsky.richtext.facet#mention", "did": did(name)} for name in mentions
    ] + [{"$type": "app.bsky.richtext.facet#tag", "tag": tag} for tag in tags]
    if features:
        record["facets"] = [
            {"index": {"byteStart": 0, "byteEnd": 4}, "features": [feature]} for feature in features
        ]
    return record | fields


def post(
    actor: str,
    key: str = "3kp",
    *,
    operation: str = "create",
    time_us: int = MICROS,
    **fields: Any,
) -> bytes:
    """A post, or an edit of one; ``fields`` as for ``post_record``."""
    return commit(actor, POST, key, post_record(**fields), operation=operation, time_us=time_us)


def delete(actor: str, collection: str, key: str, time_us: int = MICROS) -> bytes:
    """The deletion of a record."""
    return commit(actor, collection, key, operation="delete", time_us=time_us)


def identity(actor: str, handle: str | None, time_us: int = MICROS) -> bytes:
    """What tells an account's handle."""
    content = {"did": did(actor), "seq": 7, "time": "2025-10-09T00:00:00Z"}
    if handle:
        content["handle"] = handle
    return event(actor, "identity", time_us, identity=content)


def _strong(collection: str, subject: str) -> dict[str, Any]:
    return {
        "$type": collection,
        "createdAt": "2025-10-09T00:00:00.000Z",
        "subject": {"uri": subject, "cid": "bafyreiaaaa"},
    }
