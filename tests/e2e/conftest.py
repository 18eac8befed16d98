"""One server with the demo models for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.server import ServerProcess, running_server


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark all that need a real process."""
    item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that has just trained and registered the demo models."""
    with running_server(tmp_path_factory.mktemp("data"), "--demo") as running:
        # Before its compiled form is there, it answers with other roundings.
        running.wait_for(r'"model":"wine".*"event":"model_improved"')
        yield running


@pytest.fixture(scope="session")
def server_url(server: ServerProcess) -> str:
    """Where the server listens."""
    return server.url
