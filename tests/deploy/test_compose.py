"""The compose file: what Docker accepts, and what we ask of every container."""

import importlib.util
import ipaddress
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer.main
import yaml

from config.settings import ClickHouseAddress, Settings, variable_of
from renown.cli.main import app
from schemas.topics import LARGEST_RECORD
from tests.deploy.compose import (
    COMPOSE,
    EXAMPLE,
    ROOT,
    Missing,
    compose,
    interpolated,
    made_env,
    read_env,
    variables,
)
from tests.support.apache_kafka import VERSION as TESTED_KAFKA

OURS = {"migrate", "score", "sink", "monitor", "bluesky", "generate"}
OTHERS = {"kafka", "clickhouse", "prometheus", "alertmanager", "grafana"}
SERVICES = sorted(OURS | OTHERS)
ONE_SHOT = "migrate"
METRICS_PORT = "9100"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return made_env(tmp_path_factory.mktemp("env"))


@pytest.fixture(scope="module")
def content(environment: dict[str, str]) -> dict[str, Any]:
    return compose(environment)


@pytest.fixture
def service(request: pytest.FixtureRequest, content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["services"][request.param]
    return found


every_service = pytest.mark.parametrize("service", SERVICES, indirect=True)


def test_it_follows_the_schema_of_compose_files(content: dict[str, Any]) -> None:
    # The package's command needs another version of click than the locked one; its schema does not.
    spec = importlib.util.find_spec("check_jsonschema")
    assert spec is not None
    assert spec.submodule_search_locations
    vendored = Path(spec.submodule_search_locations[0]) / "builtin_schemas" / "vendor"
    schema = json.loads((vendored / "compose-spec.json").read_text())
    raw = yaml.safe_load(COMPOSE.read_text())
    for version in (content, raw):
        jsonschema.Draft202012Validator(schema).validate(version)
    wrong = {**content, "services": {"kafka": {"image": "kafka", "read-only": True}}}
    assert not jsonschema.Draft202012Validator(schema).is_valid(wrong)


def test_the_services_are_these(content: dict[str, Any]) -> None:
    assert sorted(content["services"]) == SERVICES


def test_nothing_starts_without_the_secrets() -> None:
    raw = yaml.safe_load(COMPOSE.read_text())
    with pytest.raises(Missing, match="run make env"):
        interpolated(raw, {})


def test_every_variable_is_explained(environment: dict[str, str]) -> None:
    used = variables()
    required = {name for name, way in used.items() if way.endswith("?")}
    explained = read_env(EXAMPLE)
    optional = set(re.findall(r"^#(\w+)=", EXAMPLE.read_text(), re.MULTILINE))
    assert required <= set(explained)
    assert set(used) - required == optional
    assert set(explained) - required == {
        "COMPOSE_PROFILES",
        # The server knows their hashes, the clients these.
        *(name for name in explained if name.endswith("_PASSWORD") and name not in required),
    }
    assert set(environment) == set(explained)


def test_no_secret_has_a_default() -> None:
    for name, way in variables().items():
        if re.search("PASSWORD|SHA256|WEBHOOK|CLUSTER", name):
            assert way.endswith("?"), name
    assert all(not value for name, value in read_env(EXAMPLE).items() if name != "COMPOSE_PROFILES")


@every_service
def test_images_are_pinned(service: dict[str, Any]) -> None:
    image = service["image"]
    if "build" in service:
        assert image == "renown:local"
        assert (ROOT / service["build"]["dockerfile"]).is_file()
    else:
        assert re.fullmatch(r"[\w.\-/]+:v?\d+(\.\d+)+(@sha256:[0-9a-f]{64})?", image)


def test_kafka_is_the_one_that_the_tests_know(content: dict[str, Any]) -> None:
    kafka = content["services"]["kafka"]
    assert kafka["image"].split(":")[1] == TESTED_KAFKA
    assert int(kafka["environment"]["KAFKA_MESSAGE_MAX_BYTES"]) == 2 * LARGEST_RECORD


@every_service
def test_a_container_may_little(service: dict[str, Any]) -> None:
    uid = service["user"].split(":")[0]
    assert uid.isdigit()
    assert uid != "0"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert not {"network_mode", "pid", "ipc", "devices"} & set(service)
    mounts = service.get("volumes", [])
    assert not any("docker.sock" in mount for mount in mounts)
    for mount in mounts:
        if mount.startswith("."):
            assert mount.endswith(":ro"), mount
            assert (ROOT / mount.split(":")[0]).exists(), mount


@every_service
def test_a_container_has_limits(service: dict[str, Any]) -> None:
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert service["logging"]["options"]["max-size"]
    assert any(mount.startswith("/tmp:") and "size=" in mount for mount in service["tmpfs"])


@every_service
def test_a_container_tells_its_health(service: dict[str, Any]) -> None:
    check = service["healthcheck"]
    if service["command"] == [ONE_SHOT] if "command" in service else False:
        assert check == {"disable": True}
    else:
        assert check["test"][0] in {"CMD", "CMD-SHELL"}
        assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@every_service
def test_ports_are_published_on_the_loopback_only(service: dict[str, Any]) -> None:
    for port in service.get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), port


@every_service
def test_what_is_published_is_on_the_network_for_it(service: dict[str, Any]) -> None:
    if service.get("ports"):
        assert "edge" in service["networks"]


def test_what_starts_waits_for_what_it_needs(content: dict[str, Any]) -> None:
    services = content["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services
            wanted = "service_completed_successfully" if needed == ONE_SHOT else "service_healthy"
            assert how["condition"] == wanted, f"{name} → {needed}"
    for name in OURS - {ONE_SHOT}:
        assert ONE_SHOT in services[name]["depends_on"]


def test_networks_keep_apart_what_need_not_meet(content: dict[str, Any]) -> None:
    networks = {name: set(each["networks"]) for name, each in content["services"].items()}
    meet = {
        (one, other)
        for one in networks
        for other in networks
        if one < other and (networks[one] & networks[other]) - {"edge"}
    }
    for dashboard in ("grafana", "prometheus", "alertmanager"):
        assert not any({dashboard, "kafka"} == set(pair) for pair in meet)
    assert {pair for pair in meet if "grafana" in pair} == {
        ("clickhouse", "grafana"),
        ("grafana", "prometheus"),
    }
    assert {pair for pair in meet if "alertmanager" in pair} == {("alertmanager", "prometheus")}
    assert ("clickhouse", "prometheus") not in meet
    for name, network in content["networks"].items():
        if name == "edge":
            assert network["driver_opts"]["com.docker.network.bridge.enable_icc"] == "false"
        else:
            assert network["internal"] is True
    used = {name for names in networks.values() for name in names}
    assert used == set(content["networks"])


def test_subnets_do_not_overlap(content: dict[str, Any]) -> None:
    subnets = [
        ipaddress.ip_network(each["ipam"]["config"][0]["subnet"])
        for each in content["networks"].values()
        if "ipam" in each
    ]
    assert len(subnets) == 3
    assert all(subnet.is_private for subnet in subnets)
    assert not any(a.overlaps(b) for a in subnets for b in subnets if a is not b)


def test_volumes_are_declared_and_used(content: dict[str, Any]) -> None:
    mounts = [m for each in content["services"].values() for m in each.get("volumes", ())]
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith(".")}
    assert named == set(content["volumes"])


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_settings_are_right(name: str, content: dict[str, Any]) -> None:
    given = content["services"][name]["environment"]
    known = {variable_of(field): field for field in Settings.model_fields}
    assert set(given) <= set(known)
    settings = Settings(_env_file=None, **{known[key]: text for key, text in given.items()})
    assert settings.log_format == "json"
    assert settings.kafka == "kafka:9092"
    if name == ONE_SHOT:
        assert settings.metrics_port == 0
    else:
        assert str(settings.metrics_port) == METRICS_PORT


def test_each_service_has_its_own_user_of_clickhouse(
    content: dict[str, Any], environment: dict[str, str]
) -> None:
    users = {}
    for name in OURS:
        if url := content["services"][name]["environment"].get("RENOWN_CLICKHOUSE"):
            address = ClickHouseAddress.parse(url)
            users[name] = address.user
            secret = address.user.removeprefix("renown_").upper()
            assert address.password == environment[f"CLICKHOUSE_{secret}_PASSWORD"]
            assert str(address) == "clickhouse:9000/renown"
    assert users == {
        "migrate": "renown_migrate",
        "sink": "renown_writer",
        "monitor": "renown_monitor",
    }
    server = content["services"]["clickhouse"]["environment"]
    assert not any(environment[key] in server.values() for key in environment if "PASSWORD" in key)


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_commands_exist(name: str, content: dict[str, Any]) -> None:
    group = typer.main.get_group(app)
    command, *arguments = content["services"][name]["command"]
    found = group.commands[command]
    found.make_context(command, list(arguments), resilient_parsing=False).close()


def test_prometheus_asks_every_process(content: dict[str, Any]) -> None:
    listed = yaml.safe_load((ROOT / "deploy/prometheus/targets/compose.yml").read_text())
    expected = set()
    for name in OURS - {ONE_SHOT}:
        service = content["services"][name]
        assert "metrics" in service["networks"]
        for number in range(1, service["deploy"].get("replicas", 1) + 1):
            expected.add(f"{content['name']}-{name}-{number}:{METRICS_PORT}")
    assert {target for entry in listed for target in entry["targets"]} == expected
    jobs = {"renown-score", "renown-sink", "renown-agent", "renown-monitor"}
    assert {entry["labels"]["job"] for entry in listed} == jobs
    assert len({entry["labels"]["process"] for entry in listed}) == len(listed)
