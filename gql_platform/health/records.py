"""The state of the server."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.serving.records import ServedModel


class HealthState(DescribedEnum):
    """How well the server is."""

    STARTING = "STARTING", "It is loading the models; it takes no traffic yet."
    HEALTHY = "HEALTHY", "It serves every model."
    DEGRADED = (
        "DEGRADED",
        "It serves, but not every model, or not as it should: `problem` says why.",
    )


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The server, as it is now."""

    version: Annotated[str, Doc("The version of gql_platform.")]
    state: Annotated[HealthState, Doc("How well it is.")]
    is_ready: Annotated[bool, Doc("Whether it takes traffic: every model is loaded, or failed to.")]
    problem: Annotated[str | None, Doc("What keeps it from being ready or healthy, if known.")]
    started_at: Annotated[datetime, Doc("When it started.")]
    uptime_seconds: Annotated[float, Doc("How long it has been running, in seconds.")]
    models: Annotated[
        tuple[ServedModel, ...], Doc("The models that it serves, or tried to, sorted by name.")
    ]


@dataclass(frozen=True, slots=True)
class HealthSummary:
    """What anybody may know of the server's health."""

    state: Annotated[HealthState, Doc("How well it is.")]
    is_ready: Annotated[bool, Doc("Whether it takes traffic.")]
    version: Annotated[str, Doc("The version of gql_platform.")]
