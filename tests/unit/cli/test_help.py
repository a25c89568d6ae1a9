"""Every command says what it does and gives an example."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from renown.cli.main import app, main

MACHINES: set[tuple[str, ...]] = {
    ("doctor",),
    ("migrate",),
    ("query",),
    ("audit",),
    ("demo",),
    ("replay",),
    ("show",),
    ("agents",),
    ("top",),
    ("dead-letters", "list"),
    ("dead-letters", "replay"),
}
"""Commands whose results programs may want."""


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Path and command of every command below ``group``."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_a_help_with_an_example(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*path, "--help"]) == 0
    text = capsys.readouterr().out
    about = text.partition("Options:")[0].split("\n\n")[1]
    assert len(about.split()) >= 4, "it does not say what it does"
    examples = [
        line.strip()
        for line in text.partition("Examples:")[2].splitlines()
        if f"renown {' '.join(path)}" in line
    ]
    assert examples, "it has no example"


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_examples_use_options_that_exist(path: tuple[str, ...]) -> None:
    known = {option for each in ALL[path].params for option in each.opts} | {"--help"}
    for line in (ALL[path].epilog or "").splitlines():
        if f"renown {' '.join(path)}" not in line or "<(" in line:
            continue
        words = shlex.split(line.partition("  #")[0])
        used = {word for word in words if word.startswith("--")}
        assert used <= known, line


@pytest.mark.parametrize("path", sorted(MACHINES), ids=" ".join)
def test_what_programs_may_read_can_be_json(path: tuple[str, ...]) -> None:
    assert "--json" in {option for each in ALL[path].params for option in each.opts}


def test_every_option_says_what_it_is_for() -> None:
    silent = [
        (" ".join(path), option.name)
        for path, command in ALL.items()
        for option in command.params
        if not option.help and option.name != "help"
    ]
    assert silent == []


def test_errors_with_json_are_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "nobody", "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    with pytest.raises(json.JSONDecodeError):
        json.loads(err)
