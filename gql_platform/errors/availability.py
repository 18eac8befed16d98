"""What does not work right now, and later may."""

from dataclasses import dataclass

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
    """The model registry at {uri} does not answer: {reason}"""

    code = "REGISTRY_UNAVAILABLE"
    uri: str
    reason: str


class ServerStoppingError(UnavailableError):
    """The server stops, and did not get done with the request; try again in a moment."""

    code = "SERVER_STOPPING"


class MonitoringDisabledError(UnavailableError):
    """Metrics are switched off here; start the server with ENABLE_MONITORING=true."""

    code = "MONITORING_DISABLED"
