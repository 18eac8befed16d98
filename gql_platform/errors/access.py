"""What callers may not do."""

from dataclasses import dataclass

from gql_platform.errors.tree import PlatformError


class AccessError(PlatformError):
    """That is not allowed."""

    code = "ACCESS_DENIED"


class UnauthenticatedError(AccessError):
    """This needs a key: send the header `Authorization: Bearer <API_SECRET_KEY>`."""

    code = "UNAUTHENTICATED"


class InvalidKeyError(AccessError):
    """The key is not valid here: the header must be `Authorization: Bearer <API_SECRET_KEY>`."""

    code = "INVALID_KEY"


@dataclass(eq=False)
class ForbiddenError(AccessError):
    """This needs the permission {permission!r}, which the key does not have."""

    code = "FORBIDDEN"
    permission: str


@dataclass(eq=False)
class HostNotAllowedError(AccessError):
    """The server does not answer to the host {host!r}; call it by a name in
    GQL_PLATFORM_ALLOWED_HOSTS, or add this one.
    """

    code = "HOST_NOT_ALLOWED"
    host: str


@dataclass(eq=False)
class OriginNotAllowedError(AccessError):
    """Web pages from {origin!r} may not use the server; add the origin to
    GQL_PLATFORM_ALLOWED_ORIGINS if they should.
    """

    code = "ORIGIN_NOT_ALLOWED"
    origin: str
