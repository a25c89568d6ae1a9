"""The social networks Renown knows, in a fixed order: the position is stored in frames and state.

Append new networks at the end; never reorder or remove one.
"""

from typing import Final

NETWORKS: Final[tuple[str, ...]] = (
    "twitter",
    "facebook",
    "facebook_page",
    "googleplus",
    "linkedin",
    "foursquare",
    "youtube",
    "instagram",
    "tumblr",
    "blogger",
    "wordpress",
    "lastfm",
    "flickr",
    "bluesky",
    "mastodon",
    "reddit",
    "github",
    "threads",
    "tiktok",
    "hackernews",
    "klout",
    "renown",
)

NETWORK_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(NETWORKS)}


def network_of(account: str) -> str:
    """The network part of an account written ``network:native-id``; empty if there is none."""
    return account.partition(":")[0] if ":" in account else ""
