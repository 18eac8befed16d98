"""Permissions, declared on every route."""

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute

from gql_platform.access.records import Permission
from gql_platform.edge.state import viewer_of
from gql_platform.services import Services


class Allow:
    """A dependency that lets callers with a permission pass and gives the services.

    Args:
        permission: What the caller must be allowed to do; None lets anybody pass.
    """

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission

    def __call__(self, request: Request) -> Services:
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
    """Return the router when each of its routes declares a permission.

    Raises:
        TypeError: If one does not; it names the route.
    """
    for route in router.routes:
        if isinstance(route, APIRoute):
            calls = [dependency.call for dependency in route.dependant.dependencies]
            if not any(isinstance(call, Allow) for call in calls):
                raise TypeError(f"{route.path} declares no permission")
    return router
