"""Real MLflow registries on SQLite, and a server of artifacts on this machine."""

import json
import posixpath
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from mlflow import MlflowClient

from gql_platform.adapters.mlflow.client import Client
from tests.contract.mlflow_registry import client_of, new_database

PREFIX = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """An empty registry."""
    return new_database(tmp_path)


@pytest.fixture
def client(uri: str) -> Client:
    """Our client of it."""
    return client_of(uri)


@pytest.fixture
def opened(uri: str) -> MlflowClient:
    """MLflow's own client of it, to fill it with."""
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@pytest.fixture
def artifact_server(tmp_path: Path) -> Iterator[tuple[ThreadingHTTPServer, Path]]:
    """A server that speaks the part of MLflow's protocol that reads artifacts, and its folder."""
    folder = tmp_path / "remote"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server, folder
        server.shutdown()
        thread.join()


def _handler(folder: Path) -> Callable[..., BaseHTTPRequestHandler]:
    class Artifacts(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            file = folder / unquote(address.path.removeprefix(PREFIX)).lstrip("/")
            if address.path == PREFIX:
                self._answer(200, _listing(folder, parse_qs(address.query).get("path", [""])[0]))
            elif file.is_file():
                self._answer(200, file.read_bytes())
            else:
                self._answer(404, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
            del format, args

    return Artifacts


def _listing(folder: Path, path: str) -> bytes:
    found = sorted((folder / path).iterdir()) if (folder / path).is_dir() else []
    files = [
        {"path": posixpath.basename(file.name), "is_dir": file.is_dir(), "file_size": 1}
        for file in found
    ]
    return json.dumps({"files": files}).encode()
