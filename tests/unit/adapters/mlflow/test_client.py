"""The client opens late, in a thread, and fails fast and clearly."""

import asyncio
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gql_platform.adapters.mlflow.client import LONG_CALLS, Client
from gql_platform.errors import RegistryUnavailableError
from tests.artifact_server import serving
from tests.contract.mlflow_registry import client_of, new_database

pytestmark = pytest.mark.anyio


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class TestUnreachable:
    async def test_server_that_is_down(self, closed_port: int) -> None:
        """A refused connection is told at once, and not after minutes of retries."""
        client = client_of(f"http://user:s3cret@127.0.0.1:{closed_port}")
        started = time.monotonic()
        with pytest.raises(RegistryUnavailableError) as caught:
            await client.call(lambda opened: opened.search_registered_models())
        assert time.monotonic() - started < 2
        assert caught.value.uri == f"http://***@127.0.0.1:{closed_port}"
        assert caught.value.reason == "ConnectionRefusedError: [Errno 111] Connection refused"

    async def test_store_of_runs_is_named_when_it_is_asked(self, closed_port: int) -> None:
        """The error names the store that did not answer, not the other one."""
        client = Client(
            tracking_uri=f"http://127.0.0.1:{closed_port}/runs",
            registry_uri=f"http://127.0.0.1:{closed_port}/models",
        )
        with pytest.raises(RegistryUnavailableError) as caught:
            await client.call(lambda opened: opened.get_run("f" * 32), asks_for_runs=True)
        assert caught.value.uri.endswith("/runs")
        with pytest.raises(RegistryUnavailableError) as caught:
            await client.call(lambda opened: opened.search_registered_models())
        assert caught.value.uri.endswith("/models")

    @pytest.mark.parametrize(
        ("uri", "reason"),
        [
            ("postgresql+nodriver://u:s3cret@127.0.0.1/db", "nodriver"),
            ("gopher://127.0.0.1", "unsupported URI"),
        ],
    )
    async def test_store_that_cannot_be_opened(self, uri: str, reason: str) -> None:
        """A wrong address and a missing driver are told in words that help."""
        with pytest.raises(RegistryUnavailableError) as caught:
            await client_of(uri).call(lambda opened: opened.search_registered_models())
        assert reason in caught.value.reason
        assert "s3cret" not in str(caught.value)

    async def test_server_that_is_busy(self) -> None:
        """It is asked once more at once, however long it says that it wants to be left alone."""
        asked: list[str] = []

        class Busy(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(urlsplit(self.path).path)
                self.send_response(503)
                self.send_header("Retry-After", "60")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
                del format, args

        with serving(Busy) as server:
            client = client_of(f"http://127.0.0.1:{server.server_port}")
            started = time.monotonic()
            with pytest.raises(RegistryUnavailableError, match="too many 503"):
                await client.call(lambda opened: opened.get_registered_model("a"))
            assert time.monotonic() - started < 3
        assert asked == ["/api/2.0/mlflow/registered-models/get"] * 2


@pytest.mark.slow
class TestCall:
    async def test_runs_in_a_thread(self, tmp_path: Path) -> None:
        """The event loop's own thread does not wait for a store."""
        client = client_of(new_database(tmp_path))
        assert await client.call(lambda _: threading.get_ident()) != threading.get_ident()

    async def test_opens_once(self, tmp_path: Path) -> None:
        """All calls share one client of MLflow."""
        client = client_of(new_database(tmp_path))
        assert await client.call(id) == await client.call(id)

    async def test_opens_when_the_store_comes_back(self, tmp_path: Path) -> None:
        """A store that was not there at first is used as soon as it is."""
        folder = tmp_path / "later"
        client = client_of(f"sqlite:///{folder / 'mlflow.db'}")
        with pytest.raises(RegistryUnavailableError):
            await client.call(lambda opened: opened.search_registered_models())
        folder.mkdir()
        new_database(folder)
        assert list(await client.call(lambda opened: opened.search_registered_models())) == []


class TestLongCalls:
    async def test_nobody_waits_for_downloads(self, client: Client) -> None:
        """As many as may be at work at once leave other calls alone, and further ones wait."""
        go_on, begun = threading.Event(), threading.Semaphore(0)

        def download(_: object) -> str:
            begun.release()
            go_on.wait()
            return "done"

        downloads = [
            asyncio.create_task(client.call(download, takes_long=True))
            for _ in range(LONG_CALLS + 1)
        ]
        for _ in range(LONG_CALLS):
            await asyncio.to_thread(begun.acquire)
        assert await client.call(lambda _: "quick") == "quick"
        assert not begun.acquire(blocking=False)
        go_on.set()
        assert await asyncio.gather(*downloads) == ["done"] * (LONG_CALLS + 1)
