"""The file formats that can be replayed, and the pure parser of each."""

import re
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from agents.formats import jsonl, klout, snap
from agents.lines import LineFile
from agents.source import Parser, Rejected
from config.errors import WrongUse
from schemas.networks import NETWORK_INDEX

_LOOKED_AT: Final = 50
_KLOUT_NETWORK: Final = re.compile(r"_(tw|fb)(?:[._-]|$)")


class Format(str, Enum):
    """How a file is written."""

    SNAP = "snap"
    JSONL = "jsonl"
    KLOUT = "klout"


def parser_of(format: Format, path: Path, network: str = "") -> Parser:
    """The parser of ``path``; ``network`` empty: what the format or the file's name says.

    Raises:
        WrongUse: an unknown network, or one that the file's name would have to say and does not.
    """
    if network and network not in NETWORK_INDEX:
        raise WrongUse(f"unknown network {network!r}: it is one of {', '.join(NETWORK_INDEX)}")
    match format:
        case Format.JSONL:
            return jsonl.items
        case Format.SNAP:
            return partial(snap.items, network=network or "twitter")
        case Format.KLOUT:
            return partial(klout.items, network=network or _network_by_name(path))


def _network_by_name(path: Path) -> str:
    found = _KLOUT_NETWORK.search(path.name)
    if not found:
        raise WrongUse(
            f"the name {path.name} holds neither _tw nor _fb: say which network it is of"
        )
    return {"tw": "twitter", "fb": "facebook"}[found[1]]


def check_format(path: Path, format: Format, parser: Parser) -> None:
    """Raise ``WrongUse`` where the first lines are clearly not in ``format``.

    Renown's own format may hold nothing but broken lines (dead letters played again), as long as
    one of them begins like JSON.
    """
    with LineFile(path) as file:
        lines = list(islice((line for line in file.lines() if line.body.strip()), _LOOKED_AT))
    if format is Format.JSONL:
        fits = any(line.body.lstrip().startswith(b"{") for line in lines)
        detail = "no line begins with {"
    else:
        items = list(parser(lines, 1 << 62))
        bad = [item for item in items if isinstance(item, Rejected)]
        fits = len(bad) < len(items)
        detail = f"line {bad[0].line}: {bad[0].detail}" if bad else "it holds no data lines"
    if lines and not fits:
        others = ", ".join(other.value for other in Format if other is not format)
        raise WrongUse(
            f"{path} does not look like {format.value} ({detail}): choose its format ({others})"
        )
