"""Who lives in the demo world, and what people do to each other on which network."""

import random
from typing import Final, NamedTuple

from schemas.kinds import Kind

_FIRST: Final = (
    *("amber", "brisk", "calm", "dusty", "early", "faint", "gentle", "hazel", "idle", "jolly"),
    *("keen", "lunar", "mellow", "noble", "olive", "plain", "quiet", "rusty", "silver", "tidy"),
    *("umber", "vivid", "windy", "young", "zesty", "crisp", "frosty", "humble", "ivory", "mossy"),
)
_SECOND: Final = (
    *("anchor", "badger", "canoe", "drum", "ember", "finch", "grove", "heron", "inkwell", "jetty"),
    *("kettle", "lantern", "meadow", "nettle", "otter", "pebble", "quill", "raven", "sparrow"),
    *("thistle", "urchin", "violet", "walnut", "yarrow", "bellows", "cobble", "dynamo", "easel"),
    *("fiddle", "gasket", "harbour", "islet", "juniper", "lichen", "mosaic", "nimbus", "orchard"),
)

STAR: Final = "bluesky:lantern_choir"
"""The account that the burst is about."""

_STARS: Final = (
    *("bluesky:lantern_choir", "twitter:lantern_choir", "youtube:lantern_choir"),
    *("mastodon:zoë@garden.example", "bluesky:zoe_gardens", "twitter:harbour_radio"),
    *("youtube:slow_kettle_cooking", "instagram:paper_boats", "reddit:mossy_mechanic"),
    *("linkedin:ada-of-the-bridges", "bluesky:night_bus_poems", "mastodon:trams@rail.example"),
    *("twitter:weather_for_cats", "linkedin:owl-and-ledger", "instagram:tiny_museums"),
    *("reddit:bread_geometry", "youtube:quiet_lathe", "bluesky:field_recordings"),
    *("mastodon:北風@wind.example", "twitter:second_hand_maps", "linkedin:the-long-survey"),
)

HABITS: Final[dict[str, dict[Kind, int]]] = {
    "bluesky": {Kind.LIKE: 60, Kind.RETWEET: 18, Kind.MENTION: 8, Kind.COMMENT: 14},
    "twitter": {Kind.LIKE: 48, Kind.RETWEET: 28, Kind.MENTION: 14, Kind.COMMENT: 10},
    "mastodon": {Kind.LIKE: 46, Kind.RETWEET: 30, Kind.MENTION: 14, Kind.COMMENT: 10},
    "youtube": {Kind.LIKE: 78, Kind.COMMENT: 22},
    "instagram": {Kind.LIKE: 80, Kind.MENTION: 8, Kind.COMMENT: 12},
    "reddit": {Kind.MENTION: 10, Kind.COMMENT: 90},
    "linkedin": {Kind.LIKE: 55, Kind.COMMENT: 25, Kind.RECOMMENDATION: 20},
}
SHARES: Final = {
    "bluesky": 5,
    "twitter": 5,
    "youtube": 3,
    "mastodon": 2,
    "instagram": 2,
    "reddit": 2,
    "linkedin": 2,
}
"""How much happens on each network, relative to the others."""

_SIZES: Final = {
    "bluesky": 300,
    "twitter": 260,
    "mastodon": 130,
    "youtube": 200,
    "instagram": 150,
    "reddit": 100,
    "linkedin": 90,
}


class People(NamedTuple):
    """Accounts by network: everybody, and those whom many follow with how often they are met."""

    everybody: dict[str, list[str]]
    stars: dict[str, list[str]]
    fame: dict[str, list[float]]


def make_people(rng: random.Random) -> People:
    """The people of the world; a star also acts like everybody else."""
    everybody: dict[str, list[str]] = {}
    stars: dict[str, list[str]] = {}
    fame: dict[str, list[float]] = {}
    for network, size in _SIZES.items():
        names = rng.sample([f"{a}_{b}" for a in _FIRST for b in _SECOND], size)
        stars[network] = [star for star in _STARS if star.startswith(f"{network}:")]
        everybody[network] = [f"{network}:{name}" for name in names] + stars[network]
        fame[network] = [1 / (rank + 1) for rank in range(len(stars[network]))]
    return People(everybody, stars, fame)
