"""The way of a server from its start to being ready."""

import asyncio
import gc
from collections.abc import Awaitable, Callable

import structlog

from gql_platform.errors import PlatformError, StartError, UnavailableError
from gql_platform.services import Services

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0

YOUNG_OBJECTS = 10_000
"""How many objects there are in the youngest generation before the garbage collector looks at it.

Parsing and validating a document makes up to 30,000 objects that are gone right afterwards. With
Python's own 700 they would grow old meanwhile, and full rounds of 10 to 100 ms would follow.
"""

OLDER_ROUNDS = 10
"""How many rounds through a generation there are before one through the next."""

log = structlog.get_logger(__name__)


async def bring_up(
    services: Services,
    *,
    on_ready: Callable[[], None],
    on_prepared: Callable[[], None] = lambda: None,
    on_failure: Callable[[StartError], None] = lambda _: None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Prepare the database, register demo models if that was asked for, and load every model.

    While the database or the registry does not answer it is asked again and again, with growing
    pauses; the server's health says so meanwhile.

    Args:
        services: All use cases.
        on_ready: Called once, when every model is loaded or has failed to; it may raise a
            `StartError`.
        on_prepared: Called when the database has its tables; it may be called again.
        on_failure: Called when the server cannot start as it is configured.
        pause: Waits for so many seconds.
    """
    seconds = FIRST_PAUSE_SECONDS
    try:
        while not await _tried(services, on_prepared, on_ready):
            await pause(seconds)
            seconds = min(2 * seconds, LONGEST_PAUSE_SECONDS)
    except StartError as error:
        log.error("start_refused", reason=str(error))  # noqa: TRY400 - the reason says it all
        services.health.report_problem(str(error))
        on_failure(error)
        return
    settle_memory()
    log.info("ready", models=[model.model for model in services.serving.models()])


def settle_memory() -> None:
    """Take what lives long out of the garbage collector's rounds.

    A full round over models and schema would hold up whichever request happens to set it off.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, OLDER_ROUNDS, OLDER_ROUNDS)


async def _tried(
    services: Services, on_prepared: Callable[[], None], on_ready: Callable[[], None]
) -> bool:
    """Return whether all models are loaded, or failed to for a reason of their own."""
    try:
        await services.store.prepare()
        on_prepared()
        problem = await _fill(services)
        await services.deployments.load_all(on_loaded=on_ready)
    except UnavailableError as error:
        services.health.report_problem(str(error))
        log.warning("not_ready", reason=str(error))
        return False
    except StartError:
        raise
    except Exception as error:
        # Whatever it was, a server that stays silent about it would wait for ever.
        reason = f"The start failed unexpectedly ({type(error).__name__}); the log has the cause."
        services.health.report_problem(reason)
        log.exception("start_failed")
        return False
    services.health.report_problem(problem)
    return True


async def _fill(services: Services) -> str | None:
    """Register the demo models if that was asked for, and return why it failed, if it did."""
    if services.demo is None:
        return None
    try:
        if await services.demo.ensure():
            log.info("demo_models_registered")
    except UnavailableError:
        raise
    except PlatformError as error:
        log.error("demo_failed", reason=str(error))  # noqa: TRY400 - the reason says it all
        return str(error)
    return None
