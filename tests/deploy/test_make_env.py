"""``make env``: random passwords, once."""

import base64
import hashlib
import stat
import subprocess
from pathlib import Path

from tests.deploy.compose import ROOT, made_env


def test_passwords_are_random_and_hashed(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    first, second = (made_env(folder) for folder in folders)
    secrets = [name for name in first if name.endswith("_PASSWORD")]
    assert len({first[name] for name in secrets} | {second[name] for name in secrets}) == 10
    for name in secrets:
        assert len(first[name]) == 48
        assert first[name].isalnum()
    for user in ("MIGRATE", "WRITER", "MONITOR", "ANALYST"):
        password = first[f"CLICKHOUSE_{user}_PASSWORD"].encode()
        assert first[f"CLICKHOUSE_{user}_SHA256"] == hashlib.sha256(password).hexdigest()
    assert len(base64.urlsafe_b64decode(first["KAFKA_CLUSTER_ID"] + "==")) == 16
    assert not first["KAFKA_CLUSTER_ID"].startswith("-")


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    made_env(tmp_path)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_what_stands_there_stays(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("RENOWN_PARTITIONS=8\nCLICKHOUSE_WRITER_PASSWORD=mine")
    made = made_env(tmp_path)
    assert file.read_text().startswith("RENOWN_PARTITIONS=8\nCLICKHOUSE_WRITER_PASSWORD=mine\n")
    assert made["CLICKHOUSE_WRITER_SHA256"] == hashlib.sha256(b"mine").hexdigest()
    assert made_env(tmp_path) == made


def test_a_hash_that_does_not_fit_is_told(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    made_env(tmp_path)
    lines = file.read_text().splitlines()
    changed = [
        "CLICKHOUSE_ANALYST_PASSWORD=new" if line.startswith("CLICKHOUSE_ANALYST_PASS") else line
        for line in lines
    ]
    file.write_text("\n".join(changed) + "\n")
    done = subprocess.run(
        ["sh", str(ROOT / "deploy" / "make-env"), str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "CLICKHOUSE_ANALYST_SHA256" in done.stderr
