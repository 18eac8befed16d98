"""A server to change runs on."""

import pytest

from tests.unit.run_changes.server import Server


@pytest.fixture
def server() -> Server:
    """A server with a run at work."""
    return Server()
