"""The whole application in process, over in-memory services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from anyio.lowlevel import checkpoint

from gql_platform.app import create_app
from gql_platform.services import Services
from gql_platform.settings import Settings
from gql_platform.testing import in_memory_services

BASE_URL = "http://localhost:8000"
KEY = "0123456789abcdef"


@asynccontextmanager
async def app_client(
    settings: Settings | None = None, services: Services | None = None
) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client of an application whose models are loaded.

    Args:
        settings: The settings; the defaults of a server on this machine.
        services: The services; by default the example ones, with the key of the settings.
    """
    settings = settings or Settings()
    key = settings.api_secret_key.get_secret_value() if settings.api_secret_key else None
    opened = services or in_memory_services(
        secret_key=key, max_rows=settings.max_rows, has_metrics=settings.enable_monitoring
    )
    app = create_app(settings, opened)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            await _ready(client)
            yield client
    await opened.close()


async def _ready(client: httpx2.AsyncClient) -> None:
    """Let the start-up task of the application go on until the models are loaded."""
    while (await client.get("/health/ready")).status_code != 200:
        await checkpoint()
