"""What is set and where: for people who wonder why Renown does what it does."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from dotenv import dotenv_values
from pydantic import SecretStr

from config.settings import PREFIX, ClickHouseAddress, Settings, variable_of

_FOR_TESTS: Final = "TEST_"


class Setting(NamedTuple):
    """One setting. ``source``: environment, .env or default; ``value`` holds no secret."""

    name: str
    value: str
    source: str
    description: str


def described(settings: Settings) -> list[Setting]:
    """Every setting in the order of its declaration."""
    sources = {
        **dict.fromkeys(_from_file(), ".env"),
        **dict.fromkeys(_set(os.environ), "environment"),
    }
    return [
        Setting(
            name=variable_of(field),
            value=_shown(getattr(settings, field)),
            source=sources.get(variable_of(field), "default"),
            description=info.description or "",
        )
        for field, info in type(settings).model_fields.items()
    ]


def unknown_variables() -> dict[str, str]:
    """Variables with Renown's prefix that are no setting → the one that was meant, or nothing."""
    known = {field.upper() for field in Settings.model_fields}
    names = {name.removeprefix(PREFIX) for name in (*_from_file(), *_set(os.environ))}
    return {
        PREFIX + name: "".join(PREFIX + meant for meant in get_close_matches(name, known, 1))
        for name in sorted(names - known)
        if not name.startswith(_FOR_TESTS)
    }


def _from_file() -> list[str]:
    file = Settings.model_config.get("env_file")
    return _set(dotenv_values(str(file))) if file else []


def _set(variables: Mapping[str, str | None]) -> list[str]:
    return [name.upper() for name in variables if name.upper().startswith(PREFIX)]


def _shown(value: object) -> str:
    if not isinstance(value, SecretStr):
        return "" if value is None else str(value)
    secret = value.get_secret_value()
    try:
        address = ClickHouseAddress.parse(secret)
    except ValueError:
        return "(hidden)" if secret else ""
    return f"clickhouse://{address.user}:(hidden)@{address}"
