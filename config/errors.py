"""Errors that a person can act on: one line that says what happened, where, and what to do."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the exit code of a command means."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    UNREACHABLE = 3


class RenownError(Exception):
    """``str(error)`` is the whole line for people: what happened, where, and what to do."""

    exit_code = ExitCode.FAILED


class WrongUse(RenownError):
    """A command, file or setting that cannot be right."""

    exit_code = ExitCode.WRONG_USE


class Unreachable(RenownError):
    """Something needed (broker, database, port, path) cannot be reached."""

    exit_code = ExitCode.UNREACHABLE
