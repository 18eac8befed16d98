"""All routes of the REST edge."""

from fastapi import APIRouter

from gql_platform.rest import health, models, predict
from gql_platform.rest.permission import checked


def rest_routes() -> APIRouter:
    """Return the routes; each of them declares a permission."""
    routes = APIRouter()
    for module in (predict, models, health):
        routes.include_router(checked(module.router))
    return routes
