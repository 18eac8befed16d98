"""The way of a server from its start to being ready."""

import asyncio
from collections.abc import Callable

import structlog

from gql_platform.errors import PlatformError, UnavailableError
from gql_platform.services import Services

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0

log = structlog.get_logger(__name__)


async def bring_up(services: Services, *, on_ready: Callable[[], None]) -> None:
    """Fill an empty registry if that was asked for, and load every model.

    While the registry does not answer it is asked again and again, with growing pauses; the
    server's health says so meanwhile.

    Args:
        services: All use cases.
        on_ready: Called once, when every model is loaded or has failed to.
    """
    pause = FIRST_PAUSE_SECONDS
    while not await _tried(services):
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    services.health.report_problem(None)
    on_ready()
    log.info("ready", models=[model.model for model in services.serving.models()])


async def _tried(services: Services) -> bool:
    """Return whether all models are loaded, or failed to for a reason of their own."""
    try:
        await _fill(services)
        await services.serving.load_all()
    except UnavailableError as error:
        services.health.report_problem(str(error))
        log.warning("not_ready", reason=str(error))
        return False
    return True


async def _fill(services: Services) -> None:
    if services.demo is None:
        return
    try:
        if await services.demo.ensure():
            log.info("demo_models_registered")
    except UnavailableError:
        raise
    except PlatformError as error:
        services.health.report_problem(str(error))
        log.error("demo_failed", reason=str(error))
