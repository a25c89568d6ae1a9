"""What Bluesky's identifiers look like, with the lengths that Renown takes, and cautious access.

Grammar: https://atproto.com/specs (DID, handle, AT URI, NSID, record key). Everything returns None
or an empty value for what is not as it should be, and raises for nothing.
"""

import re
from typing import Any, Final, NamedTuple

NETWORK: Final = "bluesky"
LONGEST_NAME: Final = 640
"""Characters of a display name or a tag; the network itself takes 64 graphemes."""

_DID: Final = re.compile(r"did:[a-z]{1,16}:[A-Za-z0-9._:%-]{0,230}[A-Za-z0-9._-]")
_HANDLE: Final = re.compile(r"(?=.{3,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")
_URI: Final = re.compile(
    r"at://([^/?#]{1,256})(?:/[A-Za-z0-9.-]{1,256}(?:/[\w.:~-]{1,256})?)?", re.A
)
_COLLECTION: Final = re.compile(r"[A-Za-z0-9.-]{1,256}")
_RECORD_KEY: Final = re.compile(r"[A-Za-z0-9._:~-]{1,256}")
_CID: Final = re.compile(r"[A-Za-z0-9]{1,128}")
_UNWANTED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NO_HANDLE: Final = "handle.invalid"


class Uri(NamedTuple):
    """An AT URI. Either ``target`` is its account, or ``key`` what an owner cache knows it by."""

    text: str
    target: str = ""
    key: str = ""


def account_of(did: object) -> str | None:
    """The account of a DID."""
    if isinstance(did, str) and _DID.fullmatch(did):
        return f"{NETWORK}:{did}"
    return None


def handle_of(text: object) -> str | None:
    """A handle in the one way to write it."""
    if not isinstance(text, str):
        return None
    handle = text.lower()
    return handle if _HANDLE.fullmatch(handle) and handle != _NO_HANDLE else None


def key_of_handle(handle: str) -> str:
    """What an owner cache knows the account with this handle by."""
    return f"{NETWORK} handle {handle}"


def uri_of(text: object) -> Uri | None:
    """An AT URI whose authority is a DID or a handle."""
    found = _URI.fullmatch(text) if isinstance(text, str) else None
    if not found:
        return None
    if account := account_of(found[1]):
        return Uri(found[0], target=account)
    if handle := handle_of(found[1]):
        return Uri(found[0], key=key_of_handle(handle))
    return None


def is_collection(text: object) -> bool:
    """Whether ``text`` names a collection of records."""
    return isinstance(text, str) and _COLLECTION.fullmatch(text) is not None


def is_record_key(text: object) -> bool:
    """Whether ``text`` can name a record."""
    return isinstance(text, str) and _RECORD_KEY.fullmatch(text) is not None


def clean(text: object) -> str:
    """A name or a tag, without characters that would turn or break a line; too much is cut off."""
    if not isinstance(text, str):
        return ""
    return _UNWANTED.sub("", text[: 2 * LONGEST_NAME]).strip()[:LONGEST_NAME]


def avatar_of(account: str, blob: object) -> str | None:
    """Where the network's own servers show the picture of a profile."""
    cid = inside(blob, "ref", "$link")
    if isinstance(cid, str) and _CID.fullmatch(cid):
        did = account.partition(":")[2]
        return f"https://cdn.bsky.app/img/avatar/plain/{did}/{cid}@jpeg"
    return None


def inside(value: object, *names: str) -> Any:
    """What lies at the end of ``names`` in nested objects; None where there is nothing."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def listed(value: object) -> list[Any]:
    """``value`` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
