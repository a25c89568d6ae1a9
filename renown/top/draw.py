"""The drawing of a picture, for a terminal of any width. What it shows is text, never markup."""

import re
from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from renown.cli.output import cell
from renown.top.picture import Agent, Picture, Process, Stage
from renown.top.readings import MINUTE

WIDE: Final = 118
"""From this width on, two columns stand side by side."""
_FEWEST_ROWS: Final = 3
_LISTS: Final = 6
"""Lines of the two lists beside their rows: titles, headers and empty lines."""
_NOTHING: Final = "-"
_FONT_FACES: Final = re.compile(r"@font-face\s*\{[^}]*\}\s*")


def draw(picture: Picture, width: int, height: int | None = None) -> RenderableType:
    """The picture. ``height``: what must not be exceeded, where it matters."""
    head = _head(picture)
    room = width // 2 - 3 if width >= WIDE else width
    if width >= WIDE:
        rows = None if height is None else (height - _lines(head, width) - 7) // 2
        lists = [*_changes(picture, room, rows), Text(""), *_leaders(picture, room, rows)]
        sides = Table.grid(padding=(0, 3), expand=True)
        sides.add_column(ratio=1)
        sides.add_column(ratio=1)
        sides.add_row(_spaced(_state(picture)), Group(*lists))
        return Group(*head, Text(""), sides)
    above: list[RenderableType] = [Group(*head), *_state(picture)]
    used = _lines([_spaced(above)], width)
    if height is None or used + _LISTS + 2 * _FEWEST_ROWS <= height:
        rows = None if height is None else (height - used - _LISTS) // 2
        changes, leaders = _changes(picture, room, rows), _leaders(picture, room, rows)
        return _spaced([*above, Group(*changes), Group(*leaders)])
    above = [*head, *_state(picture, compact=True)]
    rows = max(1, (height - _lines(above, width) - 4) // 2)
    return Group(*above, *_changes(picture, room, rows), *_leaders(picture, room, rows))


def draw_svg(picture: Picture, width: int) -> str:
    """The picture as an SVG that looks like a terminal of ``width`` columns."""
    console = Console(
        record=True, width=width, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(draw(picture, width))
    # Whoever looks at the picture fetches no font from anywhere.
    return _FONT_FACES.sub("", console.export_svg(title="renown top"))


def span(seconds: float) -> str:
    """A time that has passed, in the unit that suits it."""
    for size, unit in ((365.25 * 86400, "years"), (86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            count = seconds / size
            text = f"{count:.0f}" if count >= 10 else f"{count:.1f}".removesuffix(".0")
            return f"{text} {unit.rstrip('s') if text == '1' else unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{max(0.0, seconds):.1f} s"


def _state(picture: Picture, *, compact: bool = False) -> list[RenderableType]:
    """All but the lists. ``compact``: processes and agents in a line each."""
    parts: list[RenderableType] = [_stages(picture.stages), _counted(picture)]
    if picture.processes:
        parts.append(
            _in_a_line("processes", [(one.process, one.state) for one in picture.processes])
            if compact
            else _processes(picture.processes)
        )
    if picture.agents:
        parts.append(
            _in_a_line("agents", [(one.agent, one.state) for one in picture.agents])
            if compact
            else _agents(picture.agents)
        )
    return parts


def _spaced(parts: Sequence[RenderableType]) -> Group:
    """With an empty line between each and the next."""
    spaced = [line for part in parts for line in (Text(""), part)]
    return Group(*spaced[1:])


def _in_a_line(title: str, states: Sequence[tuple[str, str]]) -> Text:
    texts = ", ".join(f"{cell(name)} {cell(state)}" for name, state in states)
    return Text(f"{title}: {texts}", no_wrap=True, overflow="ellipsis")


def _head(picture: Picture) -> list[RenderableType]:
    line = Text("renown top  ", style="bold")
    if picture.event_time is None or picture.behind_seconds is None:
        line.append("nothing has happened yet", style="dim")
    else:
        line.append(f"event time {_moment(picture.event_time)} UTC", style="bold cyan")
        behind = picture.behind_seconds
        line.append(f", {span(behind)} behind the wall-clock" if behind > 0 else ", now")
    troubles = [
        Text(f"{name}: {cell(text)}", style="bold red") for name, text in picture.trouble.items()
    ]
    return [line, *troubles]


def _stages(stages: Sequence[Stage]) -> Table:
    table = _table("stage", "#records/s", "#behind", "#so far")
    for stage in stages:
        late = "yellow" if (stage.behind or 0) > 0 else ""
        table.add_row(
            stage.stage,
            _number(stage.events_per_second),
            Text(_number(stage.behind), style=late),
            _number(stage.total),
        )
    return table


def _counted(picture: Picture) -> Group:
    counted, dead = picture.counted, picture.dead_last_minute
    lines = []
    if counted is None:
        lines.append(Text("dead letters, duplicates, late: not known yet", style="dim"))
    else:
        time = "last minute" if counted.seconds >= MINUTE - 5 else f"last {counted.seconds:.0f} s"
        text = Text(f"{time}: ")
        text.append(f"{counted.dead:,} dead letters", style="bold red" if counted.dead else "")
        text.append(f", {counted.duplicates:,} duplicates, {counted.late:,} late")
        lines.append(text)
    if dead:
        reasons = ", ".join(f"{count:,} {cell(reason)}" for reason, count in dead.items())
        lines.append(Text(f"dead letters stored in the last minute: {reasons}", style="red"))
    return Group(*lines)


def _processes(processes: Sequence[Process]) -> Table:
    table = _table("process", "#records/s", "#CPU", "#memory", "state")
    for one in processes:
        table.add_row(
            Text(cell(one.process)),
            _number(one.events_per_second),
            _NOTHING if one.cpu is None else f"{one.cpu:.0%}",
            _NOTHING if one.memory is None else f"{one.memory / 1e6:,.0f} MB",
            Text(cell(one.state), style="" if one.answers else "bold red"),
        )
    return table


def _agents(agents: Sequence[Agent]) -> Table:
    table = _table("agent", "#published", "#behind", "state")
    for agent in agents:
        networks = f" ({', '.join(agent.networks)})" if agent.networks else ""
        behind = _NOTHING if agent.behind_seconds is None else span(agent.behind_seconds)
        detail = f": {agent.detail}" if agent.detail else ""
        table.add_row(
            Text(cell(agent.agent + networks)),
            _number(agent.published),
            behind,
            Text(cell(agent.state + detail)),
        )
    return table


def _changes(picture: Picture, width: int, rows: int | None) -> list[RenderableType]:
    table = _table("account", "#before", "", "#after", "cause", "#ago", account=width - 46)
    for change in picture.changes[:rows]:
        up = change.after >= change.before
        table.add_row(
            Text(cell(change.account)),
            f"{change.before:.3f}",
            Text("+" if up else "-", style="green" if up else "red"),
            f"{change.after:.3f}",
            Text(cell(change.cause)),
            span(change.seconds_ago),
        )
    away = "the broker" if "broker" in picture.trouble else ""
    return _titled("newest changes", table, away, "no score has changed yet")


def _leaders(picture: Picture, width: int, rows: int | None) -> list[RenderableType]:
    table = _table("##", "account", "#score", "#in 24 h", account=width - 26)
    for leader in picture.leaders[:rows]:
        change = leader.change_24h
        table.add_row(
            str(leader.rank),
            Text(cell(leader.account)),
            f"{leader.points:.3f}",
            Text(f"{change:+.3f}", style="green" if change > 0 else "red" if change < 0 else "dim"),
        )
    away = "ClickHouse" if "clickhouse" in picture.trouble else ""
    return _titled("leaderboard", table, away, "nobody is above the lowest score yet")


def _titled(title: str, table: Table, away: str, nothing: str) -> list[RenderableType]:
    """``away``: who does not answer; ``nothing``: what an empty table means otherwise."""
    heading = Text(title, style="bold")
    if table.row_count:
        return [heading, table]
    return [heading, Text(f"{away} does not answer" if away else nothing, style="dim")]


def _table(*columns: str, account: int | None = None) -> Table:
    """A table without lines; a column whose name begins with # is one of numbers.

    ``account``: how wide the column of accounts may be, so that a long one hides no number.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        number = column.startswith("#")
        table.add_column(
            Text(column[1:] if number else column),
            justify="right" if number else "left",
            no_wrap=number or column == "account",
            max_width=account if column == "account" else None,
        )
    return table


def _number(value: float | None) -> str:
    if value is None:
        return _NOTHING
    return f"{value:,.1f}" if 0 < value < 10 and value != int(value) else f"{value:,.0f}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _lines(parts: Sequence[RenderableType], width: int) -> int:
    """Lines that ``parts`` take."""
    console = Console(width=width, height=1000, force_terminal=False, color_system=None)
    return sum(len(console.render_lines(part, pad=False)) for part in parts)
