"""What does not work right now, and later may."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gql_platform.errors.tree import PlatformError


class UnavailableError(PlatformError):
    """That does not work right now."""

    code = "UNAVAILABLE"


@dataclass(eq=False)
class ModelNotReadyError(UnavailableError):
    """The model {name!r} cannot predict yet: {reason}"""

    code = "MODEL_NOT_READY"
    name: str
    reason: str


@dataclass(eq=False)
class RegistryUnavailableError(UnavailableError):
    """The model registry does not answer; try again in a moment."""

    code = "REGISTRY_UNAVAILABLE"
    uri: str
    reason: str

    def __str__(self) -> str:
        """Return the message for the operator."""
        return f"The model registry at {self.uri} does not answer: {self.reason}"

    @property
    def for_callers(self) -> str:
        """Without the address, which is nobody's business but the operator's."""
        return super().__str__()

    @property
    def data(self) -> Mapping[str, Any]:
        """Nothing: callers need not know where the registry is."""
        return {}


class ServerStoppingError(UnavailableError):
    """The server stops, and did not get done with the request; try again in a moment."""

    code = "SERVER_STOPPING"


@dataclass(eq=False)
class OverloadedError(UnavailableError):
    """{maximum} predictions of {model!r} are at work or wait already; try again in
    {retry_after_seconds} s, or raise GQL_PLATFORM_MAX_QUEUE.
    """

    code = "OVERLOADED"
    model: str
    maximum: int
    retry_after_seconds: int


@dataclass(eq=False)
class PredictionTimeoutError(UnavailableError):
    """Version {version} of {name!r} did not answer within {seconds} s; send fewer rows, or raise
    GQL_PLATFORM_PREDICT_TIMEOUT_SECONDS.
    """

    code = "PREDICTION_TIMEOUT"
    name: str
    version: int
    seconds: float


class MonitoringDisabledError(UnavailableError):
    """Metrics are switched off here; start the server with ENABLE_MONITORING=true."""

    code = "MONITORING_DISABLED"


class ReadOnlyServerError(UnavailableError):
    """This server serves models in files, and keeps neither runs nor a registry that could be
    changed; start one with `gql-platform serve`.
    """

    code = "READ_ONLY_SERVER"
