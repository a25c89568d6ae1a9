"""Bluesky: one message of Jetstream (its first wire format) → what it says.

Likes, reposts, replies, quotes and mentions become interactions, posts and profiles facts; the rest
is counted by reason. Event time is ``time_us``, when the network received it: what a record itself
claims (``createdAt``) may be anything. ``read`` is total: whatever the bytes, it raises nothing.

A record (like, repost, post) is named by its AT URI. Its deletion brings no more than that name,
so it is an undo of the whole record, sent to each topic that such a record could have fed.
"""

from typing import Any, Final

import msgspec

from agents.networks.bluesky_post import media_of, said_by, topics_of
from agents.networks.bluesky_text import (
    NETWORK,
    account_of,
    avatar_of,
    clean,
    handle_of,
    inside,
    is_collection,
    is_record_key,
    key_of_handle,
    uri_of,
)
from agents.networks.found import Draft, Found, Part, Trouble
from agents.source import ABSURD_TIME, TOO_LONG, time_trouble
from schemas.account import AccountFacts
from schemas.interaction import Interaction
from schemas.kinds import Kind
from schemas.post import Post

LIKE: Final = "app.bsky.feed.like"
REPOST: Final = "app.bsky.feed.repost"
POST: Final = "app.bsky.feed.post"
PROFILE: Final = "app.bsky.actor.profile"
COLLECTIONS: Final = (LIKE, REPOST, POST, PROFILE)
"""What the agent asks for; identity and account events come unasked."""

LARGEST_MESSAGE: Final = 1024 * 1024
"""Bytes of a message that is looked into."""

NOT_A_MESSAGE: Final = "not a message"
BAD_RECORD: Final = "bad record"
EDITED: Final = "edited"
OTHER_COLLECTION: Final = "other collection"
OTHER_EVENT: Final = "other event"

_KINDS: Final = {LIKE: (Kind.LIKE,), REPOST: (Kind.RETWEET,), POST: (Kind.COMMENT, Kind.MENTION)}
_COUNTED: Final = {"app.bsky.graph.follow": "follow", "app.bsky.graph.block": "block"}
_STATUSES: Final = frozenset({"deactivated", "deleted", "suspended", "takendown"})
_OPERATIONS: Final = frozenset({"create", "update", "delete"})
_decode = msgspec.json.Decoder().decode


def read(message: bytes, received_at: int) -> Found:
    """What ``message`` says, received at ``received_at`` (ms UTC)."""
    if len(message) > LARGEST_MESSAGE:
        return _trouble(TOO_LONG, f"{len(message)} bytes, at most {LARGEST_MESSAGE}")
    try:
        event = _decode(message)
    except (ValueError, RecursionError) as error:
        return _trouble(NOT_A_MESSAGE, str(error)[:200])
    if not isinstance(event, dict):
        return _trouble(NOT_A_MESSAGE, "no JSON object")
    micros = event.get("time_us")
    if not isinstance(micros, int) or isinstance(micros, bool):
        return _trouble(NOT_A_MESSAGE, "it has no time_us")
    at = micros // 1000
    if trouble := time_trouble(at, received_at):
        return _trouble(ABSURD_TIME, trouble)
    account = account_of(event.get("did"))
    if account is None:
        found = _trouble(NOT_A_MESSAGE, "its did is none, or longer than is taken")
    else:
        found = _event(event, account, at, received_at)
    found.position, found.at = micros, at
    return found


def _event(event: dict[str, Any], account: str, at: int, received_at: int) -> Found:
    match event.get("kind"):
        case "commit":
            commit = event.get("commit")
            if isinstance(commit, dict):
                return _commit(commit, account, at, received_at)
            return _trouble(NOT_A_MESSAGE, "a commit without a commit")
        case "identity":
            return _identity(event.get("identity"), account, at)
        case "account":
            status = inside(event, "account", "status")
            known = status if isinstance(status, str) and status in _STATUSES else "status"
            return _drop(f"account {known}")
        case str():
            return _drop(OTHER_EVENT)
        case _:
            return _trouble(NOT_A_MESSAGE, "it has no kind")


def _commit(commit: dict[str, Any], account: str, at: int, received_at: int) -> Found:
    collection, operation = commit.get("collection"), commit.get("operation")
    if not is_collection(collection):
        return _trouble(NOT_A_MESSAGE, "a commit without a collection")
    if collection not in COLLECTIONS:
        return _drop(_COUNTED.get(str(collection), OTHER_COLLECTION))
    if fault := _fault(commit):
        return _trouble(BAD_RECORD, fault)
    name = f"at://{account.partition(':')[2]}/{collection}/{commit['rkey']}"
    if operation == "delete":
        return _deleted(str(collection), name, account, at, received_at)
    edited = operation == "update"
    return _written(
        str(collection), commit["record"], name, account, at, received_at, edited=edited
    )


def _fault(commit: dict[str, Any]) -> str:
    """What a commit to one of the collections lacks; empty if nothing."""
    operation = commit.get("operation")
    if not isinstance(operation, str) or operation not in _OPERATIONS:
        return "a commit without a known operation"
    if not is_record_key(commit.get("rkey")):
        return "its rkey is none, or longer than is taken"
    if operation != "delete" and not isinstance(commit.get("record"), dict):
        return f"a commit to {operation} a record without the record"
    return ""


def _written(
    collection: str,
    record: dict[str, Any],
    name: str,
    account: str,
    at: int,
    received_at: int,
    *,
    edited: bool,
) -> Found:
    if collection == PROFILE:
        return _profile(record, account, at)
    if collection == POST:
        return _post(record, name, account, at, received_at, edited=edited)
    if edited:
        return _drop(EDITED)
    subject = uri_of(inside(record, "subject", "uri"))
    if subject is None:
        return _trouble(BAD_RECORD, f"{collection} without the AT URI of a subject")
    (kind,) = _KINDS[collection]
    part = Part(kind, subject.text, subject.target, subject.key, suffix=False)
    return Found(draft=Draft(NETWORK, account, name, at, received_at, (part,)))


def _post(
    record: dict[str, Any], name: str, author: str, at: int, received_at: int, *, edited: bool
) -> Found:
    said = said_by(record, edited=edited)
    draft = Draft(NETWORK, author, name, at, received_at, said.parts) if said.parts else None
    if edited:
        return Found(draft=draft, dropped=(*said.dropped, EDITED))
    post = Post(
        id=name,
        at=at,
        network=NETWORK,
        author=author,
        media=media_of(record),
        topics=topics_of(record),
    )
    return Found(draft=draft, post=post, dropped=said.dropped)


def _deleted(collection: str, name: str, account: str, at: int, received_at: int) -> Found:
    if collection == PROFILE:
        return _drop("profile deleted")
    undos = tuple(
        Interaction(
            id=f"undo:{name}",
            kind=kind,
            network=NETWORK,
            actor=account,
            record=name,
            at=at,
            received_at=received_at,
            undo=True,
        )
        for kind in _KINDS[collection]
    )
    if collection != POST:
        return Found(undos=undos)
    return Found(undos=undos, post=Post(id=name, at=at, network=NETWORK, author=account, undo=True))


def _profile(record: dict[str, Any], account: str, at: int) -> Found:
    facts = AccountFacts(
        account=account,
        at=at,
        name=clean(record.get("displayName")) or None,
        avatar=avatar_of(account, record.get("avatar")),
    )
    return Found(facts=facts)


def _identity(identity: object, account: str, at: int) -> Found:
    handle = handle_of(inside(identity, "handle"))
    if handle is None:
        return _drop("identity without handle")
    return Found(
        facts=AccountFacts(account=account, at=at, handle=handle),
        learned=((key_of_handle(handle), account),),
    )


def _drop(reason: str) -> Found:
    return Found(dropped=(reason,))


def _trouble(reason: str, detail: str) -> Found:
    return Found(trouble=Trouble(reason, detail))
