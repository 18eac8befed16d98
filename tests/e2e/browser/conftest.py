"""A server with the in-memory example models; remove this file to test the real process."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from gql_platform.app import create_app
from gql_platform.settings import Settings
from gql_platform.testing import in_memory_services


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Where a server listens that has the example models."""
    services = in_memory_services()
    config = uvicorn.Config(create_app(Settings(), services), log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()
    services.close()
