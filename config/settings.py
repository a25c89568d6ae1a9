"""Settings from the environment and ``.env`` (prefix ``RENOWN_``), checked once at the start."""

from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.env_file import ENV_FILE, check_env_file
from config.errors import WrongUse
from schemas.topics import DEFAULT_PARTITIONS

PREFIX: Final = "RENOWN_"


class Settings(BaseSettings):
    """Everything a process can be told. Empty ``kafka`` or ``clickhouse``: the embedded one."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True
    )

    kafka: str = Field("", description="host:port[,host:port…] of Apache Kafka")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="security protocol of the brokers"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism"
    )
    kafka_user: str = Field("", description="SASL user")
    kafka_password: SecretStr = Field(SecretStr(""), description="SASL password")
    kafka_ca_file: Path | None = Field(None, description="certificate authority of the brokers")
    kafka_replication: Annotated[int, Field(ge=1, le=7)] = Field(
        1, description="copies of each topic that is created"
    )
    clickhouse: SecretStr = Field(
        SecretStr(""), description="clickhouse://user:password@host:port/db"
    )
    partitions: Annotated[int, Field(ge=1, le=1024)] = Field(
        DEFAULT_PARTITIONS, description="partitions of every topic"
    )
    data_dir: Path = Field(
        Path(".data"), description="folder of the embedded ClickHouse and cursors"
    )
    once: bool = Field(False, description="a run that ends: the clock stands still when input does")
    exact_engagers: bool | None = Field(
        None,
        description="count every engager by name, also above 4,096 an account: more memory; "
        "default: only in a run that ends (once)",
    )
    seen_horizon: Annotated[int, Field(ge=1)] = Field(
        1 << 18, description="offsets for which ids are remembered, per topic and partition"
    )
    score_model: Annotated[int, Field(ge=1)] = Field(
        1, description="version of the score model; states of another one cannot be gone on with"
    )
    session_seconds: Annotated[float, Field(ge=3, le=60)] = Field(
        8.0, description="a worker that is not heard of for so long loses its partitions"
    )
    checkpoint_seconds: Annotated[float, Field(gt=0)] = Field(
        5.0, description="longest time between two checkpoints of a busy partition"
    )
    checkpoint_dir: Path | None = Field(
        None,
        description="folder, shared by all score workers, that holds the checkpoints in place of "
        "the changelog topics; they need it to recover",
    )
    linger_ms: Annotated[int, Field(ge=0, le=1000)] = Field(
        5, description="how long a worker's records wait for others, in ms: more makes less data"
    )
    emit_seconds: Annotated[float, Field(gt=0)] = Field(
        0.25, description="shortest time between two updates of the same account"
    )
    plain_fetch: bool = Field(
        False, description="read records one by one with the client library alone: slower"
    )
    truncate_changelog: bool = Field(
        True, description="delete checkpoints that are no longer needed (DeleteRecords)"
    )
    accept_loss: bool = Field(
        False, description="go on where a log starts beyond the state's position, counting the loss"
    )
    metrics_host: str = Field(
        "127.0.0.1", description="address on which /metrics, /health and /ready listen"
    )
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="their port; 0: none (renown up gives each process one)"
    )
    log_format: Literal["text", "json"] = Field("text", description="text for people or json")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "WARNING", description="log level"
    )

    @property
    def counts_exactly(self) -> bool:
        """Whether engagers are never sampled."""
        return self.once if self.exact_engagers is None else self.exact_engagers

    @field_validator("kafka")
    @classmethod
    def _brokers(cls, value: str) -> str:
        addresses = [address.strip() for address in value.split(",") if address.strip()]
        for number, address in enumerate(addresses, 1):
            host, _, port = address.rpartition(":")
            if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError(f"must be host:port[,host:port…]; address {number} is not")
        return ",".join(addresses)

    @field_validator("kafka_ca_file")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("must be a file that can be read")
        return value

    @field_validator("clickhouse")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url:
            ClickHouseAddress.parse(url)
        return value


class ClickHouseAddress:
    """The parts of ``clickhouse[s]://user:password@host:port/database``."""

    def __init__(self, host: str, port: int, user: str, password: str, database: str, secure: bool):
        self.host, self.port, self.user = host, port, user
        self.password, self.database, self.secure = password, database, secure

    @classmethod
    def parse(cls, url: str) -> "ClickHouseAddress":
        """Parse; raises ``ValueError`` without repeating the password."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            # Its own text may hold a piece of a password that was not percent-encoded.
            host = port = None
        if not host or parts.scheme not in ("clickhouse", "clickhouses"):
            raise ValueError(
                "must be clickhouse://user:password@host:port/database, "
                "special characters in the password percent-encoded"
            )
        secure = parts.scheme == "clickhouses"
        return cls(
            host=host,
            port=port or (9440 if secure else 9000),
            user=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=parts.path.strip("/") or "default",
            secure=secure,
        )

    def __str__(self) -> str:
        """Without the password."""
        return f"{self.host}:{self.port}/{self.database}"


def load_settings(**overrides: object) -> Settings:
    """Settings of this process; raises ``WrongUse`` naming every wrong one, never its value."""
    if file := Settings.model_config.get("env_file"):
        check_env_file(Path(str(file)), PREFIX)
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = "; ".join(
            f"{variable_of('_'.join(map(str, e['loc'])))} {_reason(e['msg'])}"
            for e in error.errors(include_input=False, include_url=False)
        )
        raise WrongUse(f"wrong setting: {wrong}; correct it in the environment or .env") from None


def variable_of(field: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{field.upper()}"


def _reason(message: str) -> str:
    """The library's message as the rest of a sentence that begins with the variable."""
    text = message.removeprefix("Value error, ").replace("Input should be", "must be")
    return text.partition(", unable to ")[0]
