"""The made-up world: the same again, as uneven as people are, and counted to the event."""

import hashlib
from collections import Counter

import msgspec
import numpy as np
import pytest

from agents.world.happenings import Happenings, Sort
from agents.world.ledger import DUPLICATE, LATE, UNDONE, UNMATCHED, Event
from agents.world.people import People
from agents.world.world import World, WorldOptions
from config.errors import WrongUse
from schemas.interaction import EARLIEST_AT, Interaction
from schemas.kinds import KINDS, Kind
from schemas.networks import NETWORKS
from schemas.post import Post
from tests.support.worlds import DAY_MS, START, history, published, weighed, world

HOUR_MS = 3_600_000


def interactions(events: list[tuple[int, Event]]) -> list[Interaction]:
    return [event.body for _at, event in events if isinstance(event.body, Interaction)]


def digest(events: list[tuple[int, Event]]) -> str:
    return hashlib.sha256(msgspec.json.encode(events)).hexdigest()[:16]


def test_seed_start_and_rate_decide_every_event() -> None:
    first = digest(history(world(), 3_000))
    assert digest(history(world(), 3_000)) == first
    others = [
        world(seed=2),
        world(rate=51.0),
        world(start=START + 1),
        world(accounts=2_001),
        world(dirt=0.002),
    ]
    assert first not in [digest(history(other, 3_000)) for other in others]


def test_the_events_of_a_seed_stay_the_same() -> None:
    """A change of this digest is a new world: say so in the change log."""
    assert digest(history(world(), 5_000)) == "4bccdde6127afdac"


def test_a_stream_that_begins_at_another_time_repeats_no_id() -> None:
    one = {found.id for found in interactions(history(world(), 3_000))}
    later = {found.id for found in interactions(history(world(start=START + 1), 3_000))}
    assert not one & later


def test_few_accounts_receive_much() -> None:
    made = world(rate=2.0, accounts=20_000)
    received = Counter(found.target for found in interactions(history(made, 20_000)))
    most = sum(count for _target, count in received.most_common(200))
    assert 0.25 < most / received.total() < 0.55
    assert len(received) > 5_000


def test_some_are_more_active_than_others_but_nobody_does_it_all() -> None:
    acted = Counter(found.actor for found in interactions(history(world(), 20_000)))
    assert acted.most_common(1)[0][1] < 0.02 * acted.total()
    assert acted.most_common(20)[-1][1] > 2 * acted.total() / len(acted)


def test_every_kind_and_eight_networks_each_with_its_own_mix() -> None:
    made = world(rate=2.0)
    found = interactions(history(made, 20_000))
    mix = {
        network: Counter(one.kind for one in found if one.network == network)
        for network in {one.network for one in found}
    }
    assert {kind for kinds in mix.values() for kind in kinds} == set(KINDS)
    assert len(mix) == 8
    assert set(mix) <= set(NETWORKS)
    assert not mix["youtube"][Kind.RETWEET]
    assert {network for network in mix if mix[network][Kind.RECOMMENDATION]} == {"linkedin"}
    share = {n: kinds[Kind.COMMENT] / kinds.total() for n, kinds in mix.items()}
    assert share["reddit"] > 2 * share["twitter"]
    assert any(one.amount > 1 for one in found)


def test_people_are_awake_by_the_hours_of_their_homes() -> None:
    people = People(1, 20_000)

    def share_of_the_far_east(hour: int) -> float:
        made = world(accounts=20_000, start=START // DAY_MS * DAY_MS + hour * HOUR_MS)
        number = {name: n for n, name in enumerate(people.names)}
        actors = [number[i.actor] for i in interactions(history(made, 4_000)) if i.actor in number]
        return sum(people.zone_of(actor) >= 480 for actor in actors) / len(actors)

    evening_there, night_there = share_of_the_far_east(12), share_of_the_far_east(19)
    assert evening_there > 3 * night_there > 0


def test_accounts_live_on_their_network_and_have_one_name() -> None:
    people = People(3, 5_000)
    assert len(set(people.names)) == len(people.names) == 5_000
    zones = {people.zone_of(account) for account in range(5_000)}
    assert len(zones) == 9
    for found in interactions(history(world(), 5_000)):
        assert found.actor.partition(":")[0] == found.network
        if found.target:
            assert found.target.partition(":")[0] == found.network
            assert found.target != found.actor


def happening(made: World, sort: Sort) -> tuple[int, str]:
    """When one of the first of its sort is at its height, and its key."""
    happenings = Happenings(made.options.seed, made.people)
    for minute in range(0, 14 * 1440, 5):
        at = START + minute * 60_000
        for one, _share in happenings.at(at):
            if one.sort is sort and one.begins + 120_000 < at < one.ends - 60_000:
                return at, one.key
    raise AssertionError(f"no {sort.value} within 14 days")


def around(sort: Sort) -> tuple[str, list[tuple[int, Event]], list[tuple[int, Event]]]:
    """Key of a happening, a minute of events in it, and one of the same world two hours before."""
    at, key = happening(world(), sort)
    calm = world(start=at - 2 * HOUR_MS)
    return key, history(world(start=at), 3_000), history(calm, 3_000)


def test_a_ring_of_fresh_accounts_engages_nobody_else() -> None:
    key, during, before = around(Sort.RING)
    members = {n for i in interactions(during) for n in (i.actor, i.target) if n and key in n}
    assert len(members) >= 8
    assert not members & set(world().people.names)
    assert not any(key in found.actor for found in interactions(before))
    for found in interactions(during):
        if found.target is not None:
            assert (found.actor in members) == (found.target in members)


def test_a_post_that_goes_round_is_published_and_met_by_many() -> None:
    key, during, before = around(Sort.BURST)
    posts = [e.body for _at, e in during if isinstance(e.body, Post) and key in e.body.id]
    assert len(posts) == 1
    met = [i for i in interactions(during) if i.object == posts[0].id]
    assert {found.target for found in met} == {posts[0].author}
    assert len({found.actor for found in met}) > 20
    assert not any(found.object == posts[0].id for found in interactions(before))


def test_a_campaign_has_one_account_mentioned_by_many() -> None:
    _key, during, before = around(Sort.CAMPAIGN)

    def mentioned(events: list[tuple[int, Event]]) -> Counter[str | None]:
        kinds = (Kind.MENTION, Kind.RETWEET)
        return Counter(i.target for i in interactions(events) if i.kind in kinds)

    (brand, number), *_others = (mentioned(during) - mentioned(before)).most_common(1)
    assert number > 20
    by = {i.actor for i in interactions(during) if i.target == brand}
    assert len(by) > 15


@pytest.mark.parametrize("rate", [2.0, 2_000.0])
def test_what_follows_refers_to_what_came_before(rate: float) -> None:
    seen: dict[tuple[str, str, Kind], Interaction] = {}
    records: Counter[tuple[str, str, Kind]] = Counter()
    undone: set[tuple[str, str]] = set()
    counted: Counter[str] = Counter()
    for at, event in history(world(rate=rate), 20_000):
        body = event.body
        if not isinstance(body, Interaction):
            continue
        assert EARLIEST_AT <= body.at <= at
        counted[event.outcome] += 1
        key = (body.actor, body.id, body.kind)
        by_record = (body.actor, body.record or "", body.kind)
        if body.undo:
            found = records[by_record] if body.target is None else int(key in seen)
            assert found == (event.takes if event.outcome == UNDONE else 0), event
            undone.add(key[:2])
        elif event.outcome == DUPLICATE:
            assert seen[key] == body
        elif event.outcome == UNDONE:
            assert key[:2] in undone
        elif event.outcome == LATE:
            assert at - body.at > 91 * DAY_MS
        else:
            assert key not in seen or key[:2] in undone
            seen[key] = body
            records[by_record] += 1
    assert min(counted[o] for o in (DUPLICATE, UNDONE, UNMATCHED, LATE)) > 0


def test_late_events_are_minutes_to_days_late() -> None:
    delays = np.array(
        [
            at - event.body.at
            for at, event in history(world(), 20_000)
            if isinstance(event.body, Interaction) and event.outcome == "accepted"
        ]
    )
    late = delays[delays > 30_000]
    assert 0.003 < len(late) / len(delays) < 0.008
    assert late.max() > DAY_MS > HOUR_MS > np.median(delays)
    assert late.max() <= 3 * DAY_MS


def test_deleted_posts_were_published() -> None:
    made = world(rate=2.0)
    posts = [e.body for _at, e in history(made, 30_000) if isinstance(e.body, Post)]
    assert made.ledger.posts == len(posts)
    told: set[str] = set()
    for post in posts:
        assert (post.id in told) == post.undo
        told.add(post.id)
    assert any(post.undo for post in posts)
    assert len({topic for post in posts for topic in post.topics}) == 16


@pytest.mark.parametrize(("seed", "rate", "dirt"), [(1, 2.0, 0.001), (2, 3_000.0, 0.05)])
def test_weighing_finds_exactly_what_the_world_counted(seed: int, rate: float, dirt: float) -> None:
    outlet, report = published(world(seed, rate=rate, dirt=dirt), 15_000)
    totals, accepted = weighed(outlet)
    assert dict(accepted) == report.accepted
    assert totals["duplicate"] == report.duplicates > 0
    assert totals["undone"] == report.undone > 0
    assert totals["unmatched"] == report.unmatched > 0
    assert totals["late"] == report.late > 0
    assert totals["dead"] == sum(report.dead.values()) > 0
    assert totals["self"] == 0
    assert len(outlet.posts) == report.posts > 0


def test_without_dirt_nothing_is_unusable() -> None:
    made = world(dirt=0.0)
    history(made, 20_000)
    assert made.ledger.dead == {}
    dirty = world(dirt=0.1)
    history(dirty, 20_000)
    assert 1_700 < sum(dirty.ledger.dead.values()) < 2_300
    assert len(dirty.ledger.dead) == 12


def test_news_tells_what_stands_out() -> None:
    made = world()
    at, _key = happening(made, Sort.RING)
    assert any("fresh accounts on" in line for line in made.news(at))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seed": -1}, "seed of -1"),
        ({"accounts": 10}, "10 accounts"),
        ({"accounts": 10_000_000}, "10000000 accounts"),
        ({"dirt": 0.9}, "dirt of 0.9"),
        ({"start": 1_000_000_000_000}, "from 2006 on"),
    ],
)
def test_impossible_worlds_are_wrong_use(options: dict[str, float], said: str) -> None:
    given = {"seed": 1, "start": START, "rate": 1.0, **options}
    with pytest.raises(WrongUse, match=said):
        WorldOptions(**given)  # type: ignore[arg-type]
