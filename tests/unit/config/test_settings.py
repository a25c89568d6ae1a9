"""Settings: where they come from, what is refused, and that no secret is told."""

from pathlib import Path

import pytest

from config.errors import WrongUse
from config.inventory import described, unknown_variables
from config.settings import ClickHouseAddress, Settings, load_settings

SECRET = "s3cret"


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``.env`` that is read."""
    path = tmp_path / ".env"
    monkeypatch.setitem(Settings.model_config, "env_file", str(path))
    return path


def test_nothing_set_means_the_embedded_stack() -> None:
    settings = load_settings()
    assert settings.kafka == ""
    assert settings.clickhouse.get_secret_value() == ""


def test_environment_wins_over_file_and_file_over_default(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text("RENOWN_PARTITIONS=8\nRENOWN_LOG_LEVEL=INFO\nOTHER=1\n")
    monkeypatch.setenv("RENOWN_PARTITIONS", "16")
    settings = load_settings()
    assert (settings.partitions, settings.log_level, settings.once) == (16, "INFO", False)
    sources = {setting.name: setting.source for setting in described(settings)}
    assert sources["RENOWN_PARTITIONS"] == "environment"
    assert sources["RENOWN_LOG_LEVEL"] == ".env"
    assert sources["RENOWN_ONCE"] == "default"


@pytest.mark.parametrize(
    ("once", "given", "exact"),
    [(False, {}, False), (True, {}, True), (True, {"exact_engagers": False}, False),
     (False, {"exact_engagers": True}, True)],
)  # fmt: skip
def test_engagers_are_sampled_unless_a_run_ends_or_the_setting_says_otherwise(
    once: bool, given: dict[str, bool], exact: bool
) -> None:
    # as renown demo does it
    settings = load_settings(**given).model_copy(update={"once": once})
    assert settings.counts_exactly is exact


def test_broker_addresses_are_tidied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENOWN_KAFKA", " one:9092, [::1]:9093 ,")
    assert load_settings().kafka == "one:9092,[::1]:9093"


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENOWN_PARTITIONS", "0")
    monkeypatch.setenv("RENOWN_CLICKHOUSE", f"mysql://me:{SECRET}@host/db")
    with pytest.raises(WrongUse) as caught:
        load_settings()
    line = str(caught.value)
    assert "RENOWN_PARTITIONS must be greater than or equal to 1" in line
    assert "RENOWN_CLICKHOUSE must be clickhouse://" in line
    assert SECRET not in line
    assert "\n" not in line


def test_line_of_another_program_in_the_file_is_ignored(env_file: Path) -> None:
    env_file.write_text("this is no assignment\nRENOWN_PARTITIONS=2\n")
    assert load_settings().partitions == 2


def test_misspelled_settings_are_found(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("RENOWN_PARTITION=2\n")
    monkeypatch.setenv("RENOWN_XYZZY", "1")
    monkeypatch.setenv("RENOWN_TEST_DATA", "is for tests")
    assert unknown_variables() == {"RENOWN_PARTITION": "RENOWN_PARTITIONS", "RENOWN_XYZZY": ""}


def test_secrets_are_hidden_where_settings_are_shown() -> None:
    settings = load_settings(
        kafka_password=SECRET, clickhouse=f"clickhouse://me:{SECRET}@db.example:9001/scores"
    )
    shown = {setting.name: setting.value for setting in described(settings)}
    assert shown["RENOWN_KAFKA_PASSWORD"] == "(hidden)"
    assert shown["RENOWN_CLICKHOUSE"] == "clickhouse://me:(hidden)@db.example:9001/scores"
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("clickhouse://host", ("host", 9000, "default", "", "default", False)),
        ("clickhouses://host", ("host", 9440, "default", "", "default", True)),
        ("clickhouse://u:p%40s%2Fs@host:1/db", ("host", 1, "u", "p@s/s", "db", False)),
        ("clickhouse://[::1]:9000/db", ("::1", 9000, "default", "", "db", False)),
    ],
)
def test_clickhouse_address(url: str, parts: tuple[object, ...]) -> None:
    found = ClickHouseAddress.parse(url)
    assert parts == (
        *(found.host, found.port, found.user),
        *(found.password, found.database, found.secure),
    )


@pytest.mark.parametrize("url", ["http://host", "clickhouse://", f"clickhouse://u:{SECRET}/x@h"])
def test_wrong_clickhouse_address_does_not_repeat_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="must be clickhouse://") as caught:
        ClickHouseAddress.parse(url)
    assert SECRET not in str(caught.value)
