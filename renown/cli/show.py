"""``renown show``."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from renown.activity import ScoreHistory
    from renown.queries import Score
    from streams.sinks.client import Database

_HORIZONS: Final = ("6 h", "24 h", "7 d", "30 d", "90 d")
_ONE: Final = 1024
"""A weight of 1.0."""

EPILOG: Final = """\b
Examples:
  renown show twitter:14138
  renown show twitter:14138 --days 30 --changes 20
  renown show twitter:14138 --json
"""


def show(
    account: Annotated[str, typer.Argument(help="network:native-id, for example twitter:14138.")],
    engagers: Annotated[int, typer.Option(min=0, help="How many engagers to show.")] = 10,
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="Days of event time that the history goes back.")
    ] = 7,
    changes: Annotated[int, typer.Option(min=0, help="How many changes to show.")] = 5,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Show an account's score, how it went, and what it follows from."""
    from config.errors import RenownError, WrongUse
    from renown.cli.connections import database, start
    from renown.cli.output import print_json
    from renown.queries import score_of
    from schemas.networks import NETWORK_INDEX, network_of
    from streams.sinks.migrate import check_migrated

    if network_of(account) not in NETWORK_INDEX:
        raise WrongUse(
            f"{account!r} is no account: write network:native-id, for example twitter:14138"
        )
    with database(start()) as db:
        check_migrated(db)
        score = score_of(db, account)
        if score is None:
            raise RenownError(f"{account} has no score: nothing that it received is stored yet")
        facts = _facts(db, score, engagers, days, changes)
    if json:
        print_json(facts)
    else:
        _print(facts)


def _facts(
    db: "Database", score: "Score", engagers: int, days: int, changes: int
) -> dict[str, Any]:
    """Everything that is shown, as it appears in JSON."""
    from dataclasses import asdict

    from renown.activity import recent_changes, score_history
    from renown.queries import engagers_of, posts_of, received_by_kind
    from schemas.model import load_model

    of_account = {"account": score.profile}
    own = posts_of(db, score.profile, score.clock, load_model())
    moved = db.query("SELECT change_points FROM movers WHERE profile = %(account)s", of_account)
    shares = db.query(
        "SELECT network, interactions, share FROM network_mix WHERE target = %(account)s"
        " ORDER BY share DESC, network",
        of_account,
    )
    return {
        "account": score.profile,
        "score": score.points,
        "change_24h": moved[0][0] if moved else 0.0,
        "momentum": score.momentum,
        "rank": score.rank,
        "ranked": score.ranked,
        "as_of": score.clock,
        "history": _history(score_history(db, score.profile, days)),
        "changes": [asdict(change) for change in recent_changes(db, score.profile, changes)],
        "windows": [
            {
                "horizon": name,
                "weight": weight / _ONE,
                "interactions": count,
                "engagers": people,
                "own posts": posts,
            }
            for name, weight, count, people, posts in zip(
                _HORIZONS, score.weights, score.interactions, score.engagers, own, strict=True
            )
        ],
        "received": received_by_kind(db, score.profile),
        "networks": [
            {"network": network, "interactions": count, "share": share}
            for network, count, share in shares
        ],
        "engagers": [asdict(engager) for engager in engagers_of(db, score.profile, engagers)],
    }


def _history(history: "ScoreHistory | None") -> dict[str, Any] | None:
    """The history as it appears in JSON; ``points`` are those at the end of each equal slot."""
    if history is None:
        return None
    return {
        "from": history.start,
        "to": history.end,
        "min": history.lowest,
        "max": history.highest,
        "updates": history.updates,
        "points": [
            {"at": slot.at, "score": slot.points, "min": slot.low, "max": slot.high}
            for slot in history.slots
        ],
    }


def _print(facts: dict[str, Any]) -> None:
    from renown.cli.output import cell

    typer.echo(
        f"{cell(facts['account'])}  score {facts['score']:.3f}"
        f" ({facts['change_24h']:+.3f} in 24 h), momentum {facts['momentum']},"
        f" place {facts['rank']:,} of {facts['ranked']:,}, as of {cell(facts['as_of'])} UTC"
    )
    received = ", ".join(f"{count:,} {kind}" for kind, count in facts["received"].items())
    typer.echo(f"received: {received or 'nothing that was not taken back'}\n")
    _print_history(facts["history"])
    if facts["changes"]:
        _section("Last changes", facts["changes"])
    _section("Windows", facts["windows"])
    if len(facts["networks"]) > 1:
        shares = [{**row, "share": f"{row['share']:.1%}"} for row in facts["networks"]]
        _section("Networks", shares)
    if facts["engagers"]:
        _section("Top engagers", facts["engagers"])


def _print_history(history: dict[str, Any] | None) -> None:
    import sys

    from renown.cli.sparkline import sparkline

    if history is None:
        return
    days = round((history["to"] - history["from"]).total_seconds() / 86_400)
    line = sparkline([point["score"] for point in history["points"]], sys.stdout.encoding)
    typer.echo(
        f"{line}  last {'24 h' if days == 1 else f'{days} d'}:"
        f" {history['min']:.3f} to {history['max']:.3f}, {history['updates']:,} updates\n"
    )


def _section(title: str, rows: list[dict[str, Any]]) -> None:
    from renown.cli.output import print_table

    print_table(list(rows[0]), [list(row.values()) for row in rows], title)
    typer.echo()
