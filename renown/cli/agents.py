"""``renown agents``."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from renown.agent_states import AgentState

EPILOG: Final = """\b
Examples:
  renown agents
  renown agents --json
"""


def agents(
    json: Annotated[bool, typer.Option("--json", help="One JSON object an agent.")] = False,
) -> None:
    """List the agents, which of them run or ran here, and how far each is.

    Here means: on the data folder (RENOWN_DATA_DIR), or in the demo inside it.
    """
    from dataclasses import asdict

    from renown.agent_states import agent_states
    from renown.cli.connections import start
    from renown.cli.output import cell, print_json, print_table

    states = agent_states(start(), int(time.time() * 1000))
    if json:
        for state in states:
            print_json(asdict(state))
        return
    columns = (
        "agent",
        "state",
        "pid",
        "published",
        "rejected",
        "behind",
        "cursor",
        "what it reads",
    )
    print_table(columns, [_row(state) for state in states])
    for state in states:
        if state.detail:
            typer.echo(cell(f"{state.agent}: {state.detail}"))


def _row(state: "AgentState") -> tuple[Any, ...]:
    from renown.top.draw import span

    behind = None if state.behind_seconds is None else span(state.behind_seconds)
    return (
        state.agent,
        state.state,
        state.pid if state.alive else None,
        _counts(state.published),
        _counts(state.rejected),
        behind,
        state.cursor or None,
        state.what or ", ".join(state.networks),
    )


def _counts(counts: dict[str, int]) -> str | None:
    """The sum, with its parts."""
    if not counts:
        return None
    parts = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    return f"{sum(counts.values()):,} ({parts})" if len(counts) > 1 else parts
