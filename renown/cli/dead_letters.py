"""``renown dead-letters``."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from config.errors import WrongUse
from renown.cli.completing import TOPICS, reasons, topics
from schemas.topics import Topic

if TYPE_CHECKING:
    from renown.letters import Filter, StoredLetter

app = typer.Typer(rich_markup_mode=None)

_LONGEST_VALUE: Final = 60

_EPILOG: Final = """\b
Examples:
  renown dead-letters list --summary
  renown dead-letters replay --reason absurd-time --dry-run
"""
_LIST_EPILOG: Final = """\b
Examples:
  renown dead-letters list
  renown dead-letters list --summary
  renown dead-letters list --reason bad-json --topic interactions.like --since 2012-07-05
  renown dead-letters list --limit 100000 --json > letters.jsonl
"""
_REPLAY_EPILOG: Final = """\b
Examples:
  renown dead-letters replay --dry-run
  renown dead-letters replay --reason wrong-partition --limit 1000
  renown dead-letters replay --topic interactions.like --since 2012-07-05 --yes --json
"""

ReasonOption = Annotated[
    str,
    typer.Option(
        metavar="REASON", help="Only of this reason, as bad-json.", autocompletion=reasons
    ),
]
TopicOption = Annotated[
    str,
    typer.Option(metavar="TOPIC", help="Only records of this topic.", autocompletion=topics),
]
SinceOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only records published at TIME or later.")
]


@app.callback(epilog=_EPILOG)
def _group() -> None:
    """Show records that could not be used, or publish them again."""


@app.command("list", epilog=_LIST_EPILOG)
def list_letters(
    reason: ReasonOption = "",
    topic: TopicOption = "",
    since: SinceOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    summary: Annotated[
        bool, typer.Option("--summary", help="How many of each reason and topic.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show records that could not be used: where each lies, why, and how it begins."""
    from renown.cli.connections import database, start
    from renown.letters import count_letters, newest_letters, summarize
    from streams.sinks.migrate import check_migrated

    wanted = _filter(reason, topic, since)
    with database(start()) as db:
        check_migrated(db)
        if summary:
            _show_summary(summarize(db, wanted), json=json)
            return
        letters = newest_letters(db, wanted, limit)
        total = count_letters(db, wanted) if len(letters) == limit else len(letters)
    _show_letters(letters, total, json=json)


@app.command(epilog=_REPLAY_EPILOG)
def replay(
    reason: ReasonOption = "",
    topic: TopicOption = "",
    since: SinceOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many records, oldest first.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would be published.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also what was replayed already, and however often it died."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Publish records that could not be used again, as they were, to the topics they came from.

    For when their cause is gone: a newer version understands them, a clock was set right. What
    fails again becomes a dead letter again, at most three times. What counts already counts once.
    """
    from renown.cli.connections import start
    from renown.cli.letter_replay import Wishes, run_replay

    run_replay(
        start(),
        Wishes(
            _filter(reason, topic, since), limit, dry_run=dry_run, yes=yes, force=force, json=json
        ),
    )


def _filter(reason: str, topic: str, since: str | None) -> "Filter":
    from renown.cli.times import parse_time
    from renown.letters import Filter

    if topic and topic not in {known.value for known in Topic}:
        raise WrongUse(f"{topic!r} is no topic of records: use one of {', '.join(TOPICS)}")
    return Filter(reason, topic, parse_time(since) if since else 0)


def _show_letters(letters: "list[StoredLetter]", total: int, *, json: bool) -> None:
    from renown.cli.output import print_json, print_table, remark

    if json:
        for letter in letters:
            print_json(_as_json(letter))
        return
    columns = ("at", "topic partition:offset", "reason", "detail", "begins")
    rows = [
        (x.at, f"{x.topic} {x.partition}:{x.offset}", x.reason, x.detail, _beginning(x.value))
        for x in letters
    ]
    print_table(columns, rows)
    if not letters:
        remark("There are none")
    elif total > len(letters):
        remark(f"The newest {len(letters):,} of {total:,}; --summary counts them by reason")


def _show_summary(rows: list[Any], *, json: bool) -> None:
    from dataclasses import asdict

    from renown.cli.output import print_json, print_table, remark

    if json:
        for row in rows:
            print_json(asdict(row))
        return
    columns = ("reason", "topic", "letters", "replayed", "oldest", "newest", "the newest says")
    print_table(
        columns,
        [(x.reason, x.topic, x.letters, x.replayed, x.oldest, x.newest, x.example) for x in rows],
    )
    if not rows:
        remark("There are none")


def _as_json(letter: "StoredLetter") -> dict[str, Any]:
    return {
        "reason": letter.reason,
        "detail": letter.detail,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "log": letter.log,
        "at": letter.at,
        "size": letter.size,
        "replays": letter.replays,
        "obstacle": letter.obstacle,
        "key": _text(letter.key),
        "value": _text(letter.value),
        "headers": {name: _text(value) for name, value in letter.headers},
    }


def _text(value: bytes) -> str:
    """The bytes as text; those that are none as escapes."""
    return value.decode("utf-8", "backslashreplace")


def _beginning(value: bytes) -> str:
    text = _text(value[: 8 * _LONGEST_VALUE])
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."
