"""Health and metrics over REST."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import PlainTextResponse

from gql_platform.access.records import Permission
from gql_platform.errors import MonitoringDisabledError
from gql_platform.health.records import HealthSummary
from gql_platform.rest.permission import Allow
from gql_platform.services import Services

router = APIRouter(tags=["health"])

PUBLIC_PATHS = frozenset(
    {"/health", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"}
)
"""Where nobody is asked for a key, not even for a right one."""

Anybody = Annotated[Services, Depends(Allow(None))]
Scraping = Annotated[Services, Depends(Allow(Permission.METRICS_READ))]


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="Health")
async def health(services: Anybody) -> HealthSummary:
    """Tell how well the server is; the GraphQL field `server` tells the details."""
    return services.health.summary()


@router.head("/health/live", include_in_schema=False)
@router.get("/health/live", summary="Liveness")
async def live(services: Anybody) -> HealthSummary:
    """Answer as long as the process lives."""
    return services.health.summary()


@router.head("/health/ready", include_in_schema=False)
@router.get(
    "/health/ready",
    summary="Readiness",
    responses={503: {"description": "It is still loading models.", "model": HealthSummary}},
)
async def ready(services: Anybody, response: Response) -> HealthSummary:
    """Answer 200 when the server takes traffic, 503 while it loads its models."""
    summary = services.health.summary()
    response.status_code = 200 if summary.is_ready else 503
    return summary


@router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
async def metrics(services: Scraping) -> Response:
    """Show all metrics in Prometheus's text format."""
    if services.metrics is None:
        raise MonitoringDisabledError
    content, media_type = services.metrics.exposition(await services.jobs.backlog())
    return Response(content, media_type=media_type)
