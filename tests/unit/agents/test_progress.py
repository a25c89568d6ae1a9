"""Progress for people: quiet in a pipe, live on a terminal."""

import io

from agents.progress import ProgressDisplay
from agents.report import Progress

MOMENT = Progress(
    read=1_234_567,
    published=1_000_000,
    fraction=0.42,
    rate=31_000.4,
    at=1_341_360_000_000,
    remaining=55.4,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_a_plain_line_every_ten_seconds() -> None:
    stream = io.StringIO()
    now = 0.0
    with ProgressDisplay("edges.txt", stream, lambda: now) as show:
        for tenth in range(250):
            now = tenth / 10
            show(MOMENT)
    assert stream.getvalue() == 2 * (
        "edges.txt: 42% 1,234,567 lines, 1,000,000 published, 31,000/s, "
        "event time 2012-07-04 00:00, 55 s to go\n"
    )


def test_what_is_not_known_is_not_claimed() -> None:
    stream = io.StringIO()
    times = iter([0.0, 10.0])
    with ProgressDisplay("edges.txt", stream, lambda: next(times)) as show:
        show(Progress(0, 0, 0.0, 0.0, 0, None))
    assert (
        stream.getvalue() == "edges.txt: 0% 0 lines, 0 published, 0/s, event time not yet known\n"
    )


def test_a_terminal_gets_a_bar() -> None:
    stream = Terminal()
    with ProgressDisplay("[edges].txt", stream) as show:
        show(MOMENT)
    assert "[edges].txt" in stream.getvalue()
    assert "1,234,567" in stream.getvalue()
