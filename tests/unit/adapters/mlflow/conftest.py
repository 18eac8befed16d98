"""Real MLflow registries on SQLite, and a server of artifacts on this machine."""

from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from mlflow import MlflowClient

from gql_platform.adapters.mlflow.client import Client
from tests.artifact_server import artifact_server_of
from tests.contract.mlflow_registry import client_of, new_database


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
    with artifact_server_of(folder) as server:
        yield server, folder
