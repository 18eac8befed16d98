"""MLflow's own server over HTTP, as `mlflow server --serve-artifacts` starts it."""

import multiprocessing
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import uvicorn

APP = "mlflow.server.fastapi_app"

# Its import takes seconds, so that one process does it, and each server is a fork of that.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["uvicorn", APP])


@contextmanager
def mlflow_server(database: str, artifacts: Path) -> Iterator[str]:
    """Serve a database and a folder on a free port of this machine, and stop in the end.

    Args:
        database: The URI of MLflow's tables.
        artifacts: Where the server keeps the files that clients send to it.

    Yields:
        Its address. Whoever asks before it is ready waits for it.
    """
    settings = {
        "_MLFLOW_SERVER_FILE_STORE": database,
        "_MLFLOW_SERVER_REGISTRY_STORE": database,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": artifacts.as_uri(),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        process = _PROCESSES.Process(target=_serve, args=(listening, settings))
        process.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join()


def _serve(listening: socket.socket, settings: Mapping[str, str]) -> None:
    """Serve until the process is told to end."""
    os.environ.update(settings)
    # MLflow is stricter with itself while it believes that it is under test.
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    config = uvicorn.Config(f"{APP}:app", log_level="warning", lifespan="off")
    uvicorn.Server(config).run(sockets=[listening])
