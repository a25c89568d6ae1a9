"""Fills the answers of ``deploy/analysts.md``: ``python deploy/analysts.py`` plays the sample data.

In the document every block of SQL is followed by a block of its answer, as ``renown query`` prints
it. Answers that depend on the moment of the run are marked ``text varies``: they are examples, and
only their columns are held to.
"""

import io
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Final

if __package__ in (None, ""):  # run as a file: the project's packages lie one folder above
    sys.path.insert(0, str(Path(__file__).parents[1]))

from config.settings import ClickHouseAddress, load_settings
from renown.cli.output import print_table
from renown.embedded.clickhouse import EmbeddedClickHouse
from renown.folders import DATABASE_FOLDER, DEMO_FOLDER
from renown.run.demo import Demo, run_demo
from renown.run.options import SAMPLE_SPEED, Play
from streams.sinks.client import Database

DOCUMENT: Final = Path(__file__).with_name("analysts.md")
_PAIR: Final = re.compile(
    r"^```sql\n(?P<sql>.*?)^```\n\n```text(?P<varies> varies)?\n(?P<answer>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True, slots=True)
class Question:
    """A block of SQL and its answer. ``varies``: it is another one in each run."""

    sql: str
    answer: str
    varies: bool
    line: int

    @property
    def name(self) -> str:
        """Where it stands in the document, for people."""
        return f"line {self.line}"


def questions(text: str) -> list[Question]:
    """The questions of a document; raises ``ValueError`` where an SQL block has no answer block."""
    found = [
        Question(m["sql"], m["answer"], bool(m["varies"]), text.count("\n", 0, m.start()) + 1)
        for m in _PAIR.finditer(text)
    ]
    if len(found) != text.count("```sql\n"):
        raise ValueError("a block of SQL is not followed by an empty line and a block of text")
    return found


def answer(db: Database, sql: str) -> str:
    """What ``renown query`` prints for ``sql`` in a pipe."""
    columns, rows = db.table(sql.strip().rstrip(";"))
    out = io.StringIO()
    with redirect_stdout(out):
        print_table([name for name, _ in columns], rows)
    return out.getvalue()


def filled(text: str, db: Database) -> str:
    """The document with the answers of ``db``."""
    questions(text)

    def fill(found: re.Match[str]) -> str:
        mark = found["varies"] or ""
        return f"```sql\n{found['sql']}```\n\n```text{mark}\n{answer(db, found['sql'])}```"

    return _PAIR.sub(fill, text)


@contextmanager
def sample(folder: Path, speed: float | None = None) -> Iterator[Database]:
    """The sample data, played through everything; ``speed`` as on a terminal, or None: at once."""
    settings = load_settings(_env_file=None, data_dir=folder, kafka="", clickhouse="")
    run_demo(settings, Demo(Play(speed=speed), quiet=True), lambda _: None)
    with (
        EmbeddedClickHouse(folder / DEMO_FOLDER / DATABASE_FOLDER) as server,
        Database(ClickHouseAddress.parse(server.address)) as db,
    ):
        yield db


def main() -> None:
    """Play the sample at the speed of a demo on a terminal, and write the answers."""
    with tempfile.TemporaryDirectory() as folder, sample(Path(folder), SAMPLE_SPEED) as db:
        text = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(filled(text, db), encoding="utf-8")
    sys.stdout.write(f"{len(questions(text))} answers written to {DOCUMENT}\n")


if __name__ == "__main__":
    main()
