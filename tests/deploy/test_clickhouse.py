"""Users and limits of ClickHouse, against the server that is embedded here.

It knows no users, so what they may do is read by its own parser; limits are set on it.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from config.settings import ClickHouseAddress
from renown.embedded.clickhouse import EmbeddedClickHouse
from streams.sinks.client import Database
from streams.sinks.errors import Refused
from streams.sinks.migrate import load_migrations, migrate
from tests.deploy.compose import ROOT, variables
from tests.support.fixtures import embedded_clickhouse

__all__ = ["embedded_clickhouse"]

FOLDER = ROOT / "deploy" / "clickhouse"
USERS = {"renown_migrate", "renown_writer", "renown_monitor", "renown_analyst"}
READERS = {"renown_monitor", "renown_analyst"}
_READ = re.compile(r"\b(?:FROM|JOIN)\s+(?:\w+\.)?`?(\w+)`?")


def tree(name: str) -> ET.Element:
    return ET.parse(FOLDER / name).getroot()


def part(name: str) -> ET.Element:
    found = tree("users.d/renown.xml").find(name)
    assert found is not None
    return found


def grants(user: str) -> dict[str, set[str]]:
    """Where → what the user may do there."""
    found: dict[str, set[str]] = {}
    for query in part(f"users/{user}").iter("query"):
        granted = re.fullmatch(r"GRANT (.+) ON (\S+)", str(query.text))
        assert granted
        found.setdefault(granted[2], set()).update(granted[1].split(", "))
    return found


@pytest.fixture(scope="module")
def db(embedded_clickhouse: EmbeddedClickHouse) -> Iterator[Database]:
    with Database(ClickHouseAddress.parse(embedded_clickhouse.address)) as database:
        yield database


def test_the_user_default_is_gone() -> None:
    users = part("users")
    assert {user.tag for user in users} == {"default", *USERS}
    default = users.find("default")
    assert default is not None
    assert default.get("remove")


@pytest.mark.parametrize("user", sorted(USERS))
def test_a_user_has_a_hashed_password_and_a_home(user: str) -> None:
    found = part(f"users/{user}")
    password = found.find("password_sha256_hex")
    assert password is not None
    assert password.text is None
    assert variables()[password.get("from_env", "")] == ":?"
    assert found.find("password") is None
    assert found.find("access_management") is None
    networks = [each.get("from_env") or each.text for each in found.iter("ip")]
    assert "::/0" not in networks
    assert networks[0] == "127.0.0.1"
    assert set(networks[1:]) <= {"BACKEND_SUBNET", "ANALYSTS_SUBNET", "EDGE_SUBNET"}
    # Only people come from this machine and from Grafana.
    assert ("BACKEND_SUBNET" in networks) == (user != "renown_analyst")


@pytest.mark.parametrize("user", sorted(USERS))
def test_clickhouse_understands_the_grants(user: str, db: Database) -> None:
    for query in part(f"users/{user}").iter("query"):
        text = f"{query.text} TO {user}"
        assert db.query("SELECT formatQuery(%(sql)s)", {"sql": text}) == [(text,)]
    with pytest.raises(Refused):
        db.query("SELECT formatQuery('GRANT NONSENSE ON a.* TO b')")


def test_readers_can_only_read() -> None:
    for user in READERS:
        for place, rights in grants(user).items():
            assert rights <= {"SELECT", "SHOW TABLES", "SHOW COLUMNS"}, place
        assert part(f"users/{user}").findtext("profile") == "renown_reader"
    assert all(not place.endswith("*") for place in grants("renown_monitor"))


def test_the_sink_cannot_change_tables() -> None:
    rights = grants("renown_writer")
    assert rights == {
        "renown.*": {"SELECT", "INSERT", "ALTER DELETE", "SHOW TABLES", "SHOW COLUMNS"}
    }


def test_migrations_do_what_their_user_may() -> None:
    may = grants("renown_migrate")["renown.*"]
    for migration in load_migrations():
        for statement in migration.statements:
            does = re.match(r"(CREATE|ALTER|DROP)(?: OR REPLACE)? (TABLE|VIEW)", statement)
            if does:
                assert f"{does[1]} {does[2]}" in may, statement[:60]
            else:
                assert statement.split()[0] in {"INSERT", "SELECT"}, statement[:60]


def test_the_monitor_may_read_what_it_reads_and_no_more(db: Database) -> None:
    migrate(db)
    made = {
        name: sql if engine == "View" else ""
        for name, engine, sql in db.query(
            "SELECT name, engine, create_table_query FROM system.tables"
            " WHERE database = currentDatabase()"
        )
    }
    sources = "".join(file.read_text() for file in (ROOT / "renown" / "monitor").glob("*.py"))
    waiting, needed = {name for name in _READ.findall(sources) if name in made}, set()
    while waiting:
        needed.add(name := waiting.pop())
        waiting |= {other for other in _READ.findall(made[name]) if other in made} - needed
    assert {place.removeprefix("renown.") for place in grants("renown_monitor")} == needed


def test_limits_are_settings_that_exist_and_cannot_be_lifted(db: Database) -> None:
    known = {name for (name,) in db.query("SELECT name FROM system.settings")}
    for profile in part("profiles"):
        limits = {each.tag: each.text for each in profile if each.tag != "constraints"}
        assert set(limits) <= known
        for name, value in limits.items():
            db.query(f"SELECT 1 SETTINGS {name} = '{value}'")
    reader = part("profiles/renown_reader")
    limits = {each.tag: each.text for each in reader if each.tag != "constraints"}
    constraints = {each.tag: each for each in reader.iterfind("constraints/*")}
    assert set(constraints) == set(limits) - {"readonly"}
    for name, constraint in constraints.items():
        highest = constraint.findtext("max")
        assert constraint.find("const") is not None or highest == limits[name], name
        # Zero means without a limit.
        if highest is not None and name != "max_query_size":
            assert constraint.findtext("min") == "1", name


def test_a_reader_may_send_what_renown_and_grafana_send(db: Database) -> None:
    db.query("SET readonly = 2")
    try:
        db.query("SELECT 1 SETTINGS readonly = 2, max_execution_time = 30")
        with pytest.raises(Refused):
            db.query("CREATE TABLE made_by_a_reader (a Int8) ENGINE = Memory")
    finally:
        db.close()  # the next connection may write again


def test_the_quota_exists() -> None:
    quotas = {quota.tag for quota in part("quotas")}
    used = {str(part(f"users/{user}").findtext("quota")) for user in USERS}
    assert used <= quotas | {"default"}
    assert part("users/renown_analyst").findtext("quota") == "renown_analyst"


def test_the_server_listens_to_nothing_else() -> None:
    server = tree("config.d/renown.xml")
    for port in ("mysql_port", "postgresql_port", "interserver_http_port"):
        found = server.find(port)
        assert found is not None
        assert found.get("remove")
    access = server.find("access_control_improvements")
    assert access is not None
    assert access.findtext("select_from_system_db_requires_grant") == "true"
    directories = server.find("user_directories")
    assert directories is not None
    assert [each.tag for each in directories] == ["users_xml"]
