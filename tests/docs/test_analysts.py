"""`deploy/analysts.md` is true: its queries give its answers, and it names what there is."""

import re
from collections.abc import Iterator

import pytest

from deploy.analysts import DOCUMENT, Question, answer, filled, questions, sample
from streams.sinks.client import Database

TEXT = DOCUMENT.read_text(encoding="utf-8")
QUESTIONS = questions(TEXT)
_ENTRY = re.compile(r"^- \*\*`(\w+)`\*\*: (.*?)(?=^- |^$)", re.M | re.S)
_NAME = re.compile(r"`([a-z_0-9]+)`")


@pytest.fixture(scope="session")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The sample data, played once."""
    with sample(tmp_path_factory.mktemp("sample")) as found:
        yield found


@pytest.fixture(scope="session")
def columns(db: Database) -> dict[str, set[str]]:
    """Table or view → its columns."""
    rows = db.query(
        "SELECT table, groupArray(name) FROM system.columns WHERE database = currentDatabase()"
        " GROUP BY table"
    )
    return {table: set(names) for table, names in rows}


@pytest.fixture(scope="session")
def views(db: Database) -> set[str]:
    rows = db.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"
    )
    return {name for (name,) in rows}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_answer_is_that_of_the_document(db: Database, question: Question) -> None:
    found = answer(db, question.sql)
    if question.varies:
        assert found.splitlines()[0].split() == question.answer.splitlines()[0].split()
    else:
        assert found == question.answer, "run python deploy/analysts.py and read what changed"


def test_every_view_is_described_with_exactly_its_columns(
    columns: dict[str, set[str]], views: set[str]
) -> None:
    described = {name: set(_NAME.findall(text)) for name, text in _ENTRY.findall(TEXT)}
    assert described == {view: columns[view] for view in views}


def test_every_table_is_listed(columns: dict[str, set[str]], views: set[str]) -> None:
    section = TEXT.partition("\n## Tables\n")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)` \|", section, re.M))
    assert listed == columns.keys() - views


def test_most_answers_can_be_compared_and_none_is_empty() -> None:
    assert sum(not question.varies for question in QUESTIONS) >= 20
    assert all(len(question.answer.splitlines()) > 1 for question in QUESTIONS)


def test_links_within_the_document_lead_somewhere() -> None:
    heads = re.findall(r"^#+ (.*)$", TEXT, re.M)
    anchors = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    links = set(re.findall(r"\]\(#([^)]*)\)", TEXT))
    assert links
    assert links <= anchors


def test_filling_twice_changes_nothing(db: Database) -> None:
    once = filled("```sql\nSELECT 1 AS n\n```\n\n```text\nold\n```\n", db)
    assert once == "```sql\nSELECT 1 AS n\n```\n\n```text\nn\n1\n```\n"
    assert filled(once, db) == once


def test_sql_without_an_answer_is_found() -> None:
    with pytest.raises(ValueError, match="not followed"):
        questions("```sql\nSELECT 1\n```\nwords\n")
