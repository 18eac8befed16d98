"""A server to change models on."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.model_changes.server import Server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that serves version 1."""
    server = Server()
    await server.services.deployments.load_all()
    yield server
    await server.services.close()
