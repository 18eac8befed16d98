"""What followers of deployments are told."""

from dataclasses import dataclass
from typing import Annotated

from gql_platform.deployments.records import Deployment
from gql_platform.doc import Doc
from gql_platform.events.records import Event


@dataclass(frozen=True, slots=True)
class DeploymentNotice:
    """A deployment that is another now: it was changed, or this server got further with it."""

    deployment: Annotated[
        Deployment | None, Doc("What this server serves now; null when nothing is served any more.")
    ]
    event: Annotated[
        Event | None,
        Doc("The change; null where only what this server does about it is another."),
    ]
    sequence: Annotated[
        int, Doc("All changes up to here were told; pass it as `afterSequence` to go on.")
    ]
    lagged: Annotated[
        bool,
        Doc("Whether this reader was too slow, and the changes were read again; none is missing."),
    ]
    skipped_count: Annotated[
        int, Doc("How many events, of whatever type, were deleted before they could be told.")
    ]
