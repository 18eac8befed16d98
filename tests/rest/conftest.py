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


@pytest.fixture(scope="session")
async def one_client() -> AsyncIterator[httpx2.AsyncClient]:
    """Return a client of a server that tests share which do not look at what was counted."""
    async with app_client() as client:
        yield client
