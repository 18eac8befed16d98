"""Permissions, declared on every route."""

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute

from gql_platform.access.records import Permission
from gql_platform.edge.state import viewer_of
from gql_platform.services import Services

SECURITY_SCHEME = "key"
"""The name of the key in the OpenAPI file."""


class Allow:
    """A dependency that lets callers with a permission pass and gives the services.

    Args:
        permission: What the caller must be allowed to do; None lets anybody pass.
    """

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Services:
        """Check the caller of a request.

        Raises:
            UnauthenticatedError: If the caller showed no key.
            ForbiddenError: If the caller's key does not have the permission.
        """
        if self.permission is not None:
            viewer_of(request.scope).require(self.permission)
        services: Services = request.app.state.services
        return services


def checked(router: APIRouter) -> APIRouter:
    """Return the router when each of its routes declares a permission, which it then documents.

    Raises:
        TypeError: If one does not; it names the route.
    """
    for route in router.routes:
        if isinstance(route, APIRoute):
            permission = permission_of(route)
            if permission is not None:
                # A server that is open to its own machine needs no key: the empty requirement.
                security: list[dict[str, list[str]]] = [{SECURITY_SCHEME: []}, {}]
                route.openapi_extra = {
                    **(route.openapi_extra or {}),
                    "security": security,
                    "x-permission": permission.value,
                }
    return router


def permission_of(route: APIRoute) -> Permission | None:
    """Return the permission that a route declares, None for one that anybody may use.

    Raises:
        TypeError: If it declares neither; it names the route.
    """
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Allow):
            return dependency.call.permission
    raise TypeError(f"{route.path} declares no permission")
