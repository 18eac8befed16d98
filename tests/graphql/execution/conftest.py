"""A client of the whole application."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.app import app_client


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """Return a client of a server on its own machine."""
    async with app_client() as client:
        yield client
