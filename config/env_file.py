"""The file ``.env`` of the working folder, in which settings may stand."""

import logging
from pathlib import Path

from dotenv.parser import parse_stream

from config.errors import WrongUse

ENV_FILE = ".env"


def check_env_file(path: Path, prefix: str) -> None:
    """Raise ``WrongUse`` if ``path`` cannot be read, or a line that names a setting is broken.

    Broken lines of other programs are none of our business, so the library's remarks are muted.
    """
    logging.getLogger("dotenv").setLevel(logging.ERROR)
    if not path.is_file():
        return
    try:
        with path.open(encoding="utf-8") as file:
            for binding in parse_stream(file):
                if binding.error and prefix in binding.original.string:
                    raise WrongUse(
                        f"line {binding.original.line} of {path} is not NAME=value: correct it"
                    )
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise WrongUse(f"cannot read {path} ({reason}): make it a readable text file") from None
