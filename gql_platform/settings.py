"""All settings of the server, in one place.

Each is read from the environment once, at the entry point; the command line's options win over
it. `docs/reference/settings.md` lists them all.
"""

import difflib
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from gql_platform.errors import AccessNotConfiguredError, SettingsError
from gql_platform.spelling import Hosts, Names, Networks, Origins, is_address

PREFIX = "GQL_PLATFORM_"


class LogFormat(StrEnum):
    """How log lines look."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least severe log line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class DocumentMode(StrEnum):
    """Which GraphQL documents run."""

    OPEN = "open"
    TRUSTED = "trusted"


def _plan_name(name: str) -> AliasChoices:
    """Read a setting from a name without our prefix, as the product's users know it.

    The lower-case name is the field's own, by which overrides are given.
    """
    return AliasChoices(name, name.lower())


class Settings(BaseSettings):
    """The settings of one server."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        case_sensitive=False,
        # A traceback must not show the secret that was refused.
        hide_input_in_errors=True,
    )

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(
        default=8000, ge=0, le=65535, description="The port to listen on; 0 takes any."
    )
    data_dir: Path = Field(
        default=Path("data"),
        description="The folder of the embedded stores; made when it is missing.",
    )
    mlflow_tracking_uri: str | None = Field(
        default=None,
        validation_alias=_plan_name("MLFLOW_TRACKING_URI"),
        description="Where MLflow keeps runs; unset, a SQLite file in the data folder.",
    )
    model_registry_uri: str | None = Field(
        default=None,
        validation_alias=_plan_name("MODEL_REGISTRY_URI"),
        description="Where MLflow keeps registered models; unset, where it keeps runs.",
    )
    mlflow_command: str | None = Field(
        default=None,
        description="What `mlflow-ui` runs; unset, `mlflow-ui-env/bin/mlflow` in the data folder.",
    )
    database_url: str | None = Field(
        default=None,
        description=(
            "Where the platform keeps its own tables, events among them: `sqlite:////srv/platform.db`"
            " or `postgresql://user:password@host/name`; unset, a SQLite file in the data folder. "
            "Servers of one fleet share it."
        ),
    )
    artifact_folders: Names = Field(
        default=(),
        description=(
            "Folders of this machine, separated by commas, in which runs of a server of MLflow may "
            "have their files; whoever makes experiments there could otherwise name any folder. "
            "Runs of a database may have them anywhere."
        ),
    )
    event_retention_days: float = Field(
        default=30.0, gt=0, description="How many days events are kept."
    )
    max_events: int = Field(
        default=1_000_000, ge=1, description="How many of the newest events are kept at most."
    )
    webhook_networks: Networks = Field(
        default=(),
        description=(
            "Networks that webhooks may be sent to although they are not public, by `http` too, "
            "such as `10.1.0.0/16`, separated by commas."
        ),
    )
    webhook_timeout_seconds: float = Field(
        default=15.0,
        gt=0,
        le=120,
        description="How long a receiver of webhooks may take to answer, and its name to be found.",
    )
    jobs_at_once: int = Field(
        default=1,
        ge=0,
        le=64,
        description=(
            "How many jobs run side by side in a worker. A server starts one when jobs wait and no "
            "worker lives; with 0 it never does, and leaves them to `gql-platform worker`."
        ),
    )
    job_files_uri: str | None = Field(
        default=None,
        description=(
            "Where files are kept that jobs make, such as `s3://bucket/jobs`; unset, a folder in "
            "the data folder. Servers and workers on several machines share it."
        ),
    )
    api_secret_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        validation_alias=_plan_name("API_SECRET_KEY"),
        description=(
            "The key that callers must show as `Authorization: Bearer <key>`: at least 16 letters, "
            "digits and signs of ASCII, without spaces. Needed unless the address is a loopback "
            "address."
        ),
    )
    allowed_hosts: Hosts = Field(
        default=(),
        description=(
            "Further host names or IP addresses, without scheme and port, that requests may name "
            "in `Host`, separated by commas. On a loopback address this machine's own names are "
            "always allowed; on another address every name is, until one is listed."
        ),
    )
    allowed_origins: Origins = Field(
        default=(),
        description=(
            "Origins of web pages that may use the server, as browsers write them: scheme, host "
            "and port, such as `http://localhost:5173`, separated by commas. The server's own "
            "pages always may."
        ),
    )
    max_body_bytes: int = Field(
        default=1024 * 1024, ge=1024, description="The largest request body, in bytes."
    )
    max_rows: int = Field(
        default=10_000, ge=1, description="The most rows of one prediction request."
    )
    predict_threads: int = Field(
        default=2,
        ge=1,
        le=64,
        description="How many calls of one model compute at once, where it lets others compute.",
    )
    max_batch_rows: int = Field(
        default=256,
        ge=1,
        description="The most rows of requests that are sent to a model together.",
    )
    max_queue: int = Field(
        default=256,
        ge=1,
        description="How many predictions of one model are at work or wait; more are refused.",
    )
    predict_timeout_seconds: float = Field(
        default=30.0, gt=0, description="How long a prediction may take, its wait included."
    )
    model_memory_mb: int | None = Field(
        default=None,
        ge=64,
        description=(
            "How much memory the process of a slow model may take, in 10^6 bytes; unset, as much "
            "as there is. Quick models compute in the server itself."
        ),
    )
    load_timeout_seconds: float = Field(
        default=300.0,
        gt=0,
        description="How long loading a version of a model, and trying it, may take.",
    )
    cached_predictions: int = Field(
        default=0,
        ge=0,
        description=(
            "How many answers of each version are kept for requests with exactly the same rows; "
            "0 keeps none. Models that answer on the event loop are asked anew: that is quicker."
        ),
    )
    registry_poll_seconds: float = Field(
        default=5.0,
        ge=0.1,
        description="How often the registry is asked whether other versions are to serve.",
    )
    introspection: bool = Field(
        default=True,
        description=(
            "Whether GraphQL documents may ask for the schema, as the playground and code "
            "generators do."
        ),
    )
    documents: DocumentMode = Field(
        default=DocumentMode.OPEN,
        description="Whether any GraphQL document runs, or only trusted ones.",
    )
    trusted_documents: Path | None = Field(
        default=None,
        description=(
            "Documents that may run by their ids: a folder of `*.graphql` files and manifests, or "
            "one manifest (JSON), as Relay's and Apollo's tools write them."
        ),
    )
    enable_monitoring: bool = Field(
        default=True,
        validation_alias=_plan_name("ENABLE_MONITORING"),
        description="Whether Prometheus metrics are counted and served at `/metrics`.",
    )
    log_level: LogLevel = Field(
        default=LogLevel.INFO,
        validation_alias=_plan_name("LOG_LEVEL"),
        description="The least severe log line that is written.",
    )
    log_format: LogFormat = Field(
        default=LogFormat.AUTO,
        description="How log lines look; `auto` is `console` on a terminal and `json` elsewhere.",
    )
    demo: bool = Field(
        default=False,
        description="Whether to train and register the demo models when no others are registered.",
    )

    @field_validator(
        "allowed_hosts", "allowed_origins", "artifact_folders", "webhook_networks", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(
                part.strip().rstrip("/") or "/" for part in value.split(",") if part.strip()
            )
        return value

    @field_validator("api_secret_key")
    @classmethod
    def _visible(cls, key: SecretStr | None) -> SecretStr | None:
        """Refuse what no `Authorization` header can carry as one word."""
        if key is not None and not re.fullmatch(r"[!-~]+", key.get_secret_value()):
            raise ValueError("letters, digits and signs of ASCII, without spaces")
        return key

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        return is_address(self.host) and ip_address(self.host).is_loopback

    @property
    def tracking_uri(self) -> str:
        """Where MLflow keeps runs."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.data_dir.resolve() / 'mlflow.db'}"

    @property
    def registry_uri(self) -> str:
        """Where MLflow keeps registered models."""
        return self.model_registry_uri or self.tracking_uri

    @property
    def database_uri(self) -> str:
        """Where the platform keeps its own tables."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'platform.db'}"

    @property
    def artifact_dir(self) -> Path:
        """Where the embedded store keeps the files of runs and models."""
        return self.data_dir.resolve() / "artifacts"

    @property
    def files_uri(self) -> str:
        """Where files are kept that jobs make."""
        return self.job_files_uri or (self.data_dir.resolve() / "jobs").as_uri()

    def check_access(self) -> Self:
        """Return the settings when they do not leave an open address without a key.

        Raises:
            AccessNotConfiguredError: If they do.
        """
        if not self.is_loopback and self.api_secret_key is None:
            raise AccessNotConfiguredError(host=self.host)
        return self


def environment_name(field: str) -> str:
    """Return the name that a setting has in the environment."""
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return f"{PREFIX}{field.upper()}"


def shown(value: object) -> str:
    """Return the value of a setting as it may be shown: without passwords."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    # The part of an address that can hold a password, and its query.
    return re.sub(r"(?<=://)[^/@]*@", "***@", str(value)).partition("?")[0]


def load_settings(
    overrides: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Build the settings from the environment.

    Args:
        overrides: Values by field name that win over the environment, such as options of the
            command line; None values do not count.
        environ: The environment to look for unknown names in; the process's own by default.

    Raises:
        SettingsError: If a value is wrong, or a name begins with our prefix and is none of ours;
            it has a line for each.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    problems = _unknown_names(os.environ if environ is None else environ)
    try:
        settings = Settings(**given)  # type: ignore[arg-type] # pydantic checks the values
    except ValidationError as error:
        problems += [_line_of(detail) for detail in error.errors()]
        raise SettingsError(problems=problems) from error
    if problems:
        raise SettingsError(problems=problems)
    return settings


def _unknown_names(environ: Mapping[str, str]) -> list[str]:
    known = [environment_name(field) for field in Settings.model_fields]
    by_rest = {name.removeprefix(PREFIX): name for name in known}
    problems = []
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            rest = name.upper().removeprefix(PREFIX)
            near = difflib.get_close_matches(rest, by_rest, n=1)
            hint = f" Did you mean {by_rest[near[0]]}?" if near else ""
            problems.append(f"{name}: there is no such setting.{hint}")
    return problems


def _line_of(detail: ErrorDetails) -> str:
    field = str(detail["loc"][0]) if detail["loc"] else ""
    by_name = {environment_name(name): name for name in Settings.model_fields}
    field = by_name.get(field.upper(), field)
    if field not in Settings.model_fields:
        return f"{field}: there is no such setting."
    shown = "the given value" if "secret" in field else repr(detail["input"])
    reason = detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    if detail["type"] == "too_short":
        reason = f"at least {detail.get('ctx', {})['min_length']} characters long"
    about = Settings.model_fields[field].description
    return f"{environment_name(field)}: {shown} is wrong; it should be {reason}. {about}"
