"""What keeps a server from starting."""

from collections.abc import Sequence
from dataclasses import dataclass

from gql_platform.errors.tree import PlatformError


class StartError(PlatformError):
    """The server cannot start like this."""

    code = "START_FAILED"


@dataclass(eq=False)
class SettingsError(StartError):
    """The settings are wrong: {problems}"""

    code = "SETTINGS_INVALID"
    problems: Sequence[str]

    def __str__(self) -> str:
        """Return one line per wrong setting."""
        return "The settings are wrong:\n" + "\n".join(f"  {line}" for line in self.problems)


@dataclass(eq=False)
class AccessNotConfiguredError(StartError):
    """The address {host} can be reached by other machines, and no access is configured; set
    API_SECRET_KEY to a secret of at least 16 characters, or bind to 127.0.0.1.
    """

    code = "ACCESS_NOT_CONFIGURED"
    host: str


@dataclass(eq=False)
class DataFolderError(StartError):
    """The data folder {path} cannot be used: {reason}; name another with GQL_PLATFORM_DATA_DIR."""

    code = "DATA_FOLDER_UNUSABLE"
    path: str
    reason: str


@dataclass(eq=False)
class StoreAddressError(StartError):
    """{setting} is {uri!r}, which cannot be used: {problem}. It should be {accepted}."""

    code = "STORE_ADDRESS_INVALID"
    setting: str
    uri: str
    problem: str
    accepted: str


@dataclass(eq=False)
class TrustedDocumentsError(StartError):
    """The trusted documents cannot be used: {problems}"""

    code = "TRUSTED_DOCUMENTS_INVALID"
    problems: Sequence[str]

    def __str__(self) -> str:
        """Return the message with a line for each problem."""
        return "The trusted documents cannot be used:\n" + "\n".join(
            f"  {line}" for line in self.problems
        )


@dataclass(eq=False)
class DemoError(StartError):
    """The demo models could not be trained and registered: {reason}"""

    code = "DEMO_FAILED"
    reason: str


@dataclass(eq=False)
class PortInUseError(StartError):
    """Port {port} of {host} is in use by another program; stop that one, or choose another port
    with --port or GQL_PLATFORM_PORT.
    """

    code = "PORT_IN_USE"
    host: str
    port: int


@dataclass(eq=False)
class AddressError(StartError):
    """The server cannot listen on {host} at port {port}: {reason}; choose another address with
    --host or GQL_PLATFORM_HOST.
    """

    code = "ADDRESS_UNUSABLE"
    host: str
    port: int
    reason: str


@dataclass(eq=False)
class MetricsPortError(StartError):
    """The metrics cannot be shown on {host} at port {port}: {reason}; choose another port with
    --metrics-port, or another address with GQL_PLATFORM_HOST.
    """

    code = "METRICS_PORT_UNUSABLE"
    host: str
    port: int
    reason: str


@dataclass(eq=False)
class WorkersError(StartError):
    """The workers do not stay alive: {reason}."""

    code = "WORKERS_FAILED"
    reason: str


@dataclass(eq=False)
class ModelFileError(StartError):
    """The model {name!r} cannot be served from {path}: {problem}."""

    code = "MODEL_FILE"
    name: str
    path: str
    problem: str


@dataclass(eq=False)
class MLflowCommandError(StartError):
    """MLflow's pages cannot be shown: {problem}. Make an environment for them: {commands}"""

    code = "MLFLOW_COMMAND"
    problem: str
    commands: Sequence[str]

    def __str__(self) -> str:
        """Return the message with a line for each command, as it is typed."""
        lines = "".join(f"\n  {command}" for command in self.commands)
        return (
            f"MLflow's pages cannot be shown: {self.problem}. Make an environment for them, or "
            f"name the executable with --mlflow or GQL_PLATFORM_MLFLOW_COMMAND:{lines}"
        )
