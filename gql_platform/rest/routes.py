"""All routes of the REST edge."""

from typing import Any

from fastapi import APIRouter

from gql_platform.edge.problem import Problem
from gql_platform.rest import downloads, health, invocations, models, open_inference, predict
from gql_platform.rest.permission import checked

PROBLEM: dict[str, Any] = {
    "description": "What was wrong, what was expected, and what to do.",
    "model": Problem,
}
"""The answer to a request that failed, in every route's description."""
ROUTERS = (
    predict.router,
    models.router,
    open_inference.router,
    invocations.router,
    downloads.router,
    health.router,
)


def rest_routes() -> APIRouter:
    """Return the routes; each of them declares a permission."""
    routes = APIRouter(
        responses={"4XX": PROBLEM, "5XX": PROBLEM},
        generate_unique_id_function=lambda route: route.name,
    )
    for router in ROUTERS:
        routes.include_router(checked(router))
    return routes
