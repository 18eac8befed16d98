"""Permissions, and the viewer who has them."""

from dataclasses import dataclass

from gql_platform.doc import DescribedEnum
from gql_platform.errors import ForbiddenError, UnauthenticatedError


class Permission(DescribedEnum):
    """What a caller must be allowed to do."""

    MODEL_READ = "model:read", "Read models, versions, signatures and their runs."
    MODEL_WRITE = "model:write", "Register models, describe, tag and delete what does not serve."
    RUN_READ = "run:read", "Read experiments, runs and what was logged with them."
    RUN_WRITE = "run:write", "Make experiments, and make, log to, finish and delete runs."
    MODEL_PREDICT = "model:predict", "Ask served models for predictions."
    MODEL_DEPLOY = "model:deploy", "Change which versions of models serve."
    JOB_READ = "job:read", "Read jobs and schedules, logs and results, and fetch their files."
    JOB_WRITE = "job:write", "Cancel and repeat jobs, and change schedules."
    EXPORT_WRITE = "export:write", "Export the registry and runs to files, once or on schedule."
    EVENT_READ = "event:read", "Read what happened, and follow what happens."
    WEBHOOK_READ = "webhook:read", "Read where events are sent to, and what is on its way there."
    WEBHOOK_WRITE = "webhook:write", "Have events sent to any address, and change where to."
    SERVER_READ = "server:read", "Read the state of the server."
    METRICS_READ = "metrics:read", "Read live and Prometheus metrics."


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller of one request or connection.

    Attributes:
        name: Who it is, for logs; never a secret.
        permissions: All that the caller may do.
        is_anonymous: Whether the caller showed no key where one is needed.
    """

    name: str
    permissions: frozenset[Permission]
    is_anonymous: bool = False

    def require(self, permission: Permission) -> None:
        """Let the caller pass, or not.

        Raises:
            UnauthenticatedError: If the caller showed no key.
            ForbiddenError: If the caller's key does not have the permission.
        """
        if permission in self.permissions:
            return
        if self.is_anonymous:
            raise UnauthenticatedError
        raise ForbiddenError(permission=permission.value)


ANONYMOUS = Viewer(name="anonymous", permissions=frozenset(), is_anonymous=True)
LOCAL = Viewer(name="local", permissions=frozenset(Permission))
"""The user of this machine, where the server is open to its own machine."""
