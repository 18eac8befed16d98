"""The servers that are compared, each as a command, a request and the answer to it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil

from tests.benchmarks.load import post
from tests.benchmarks.peers.install import interpreter
from tests.benchmarks.plan import ROOT

BATCH = 32
START_SECONDS = 45

Row = Mapping[str, Any]

_SCRIPTS = Path(__file__).parent
_ENVIRON = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "BENTOML_DO_NOT_TRACK": "1"}


class NotRunningError(Exception):
    """A peer that ends, or does not answer in time, with the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is not ours.

    Attributes:
        title: What the tables call it.
        command: Returns what starts it for a model's file, on a port, in an empty folder.
        request: Returns the request for a row.
        answer: The start of an answer, with ``%s`` for the label.
        ready: The path, with ``%s`` for the model, that answers once it is ready: with 200, or
            500 where only predictions are answered.
        peer: The environment that it needs; None where it is ours.
        batches: Whether requests are joined.
    """

    title: str
    command: Callable[[Path, int, Path], list[str]]
    request: Callable[[str, Row], bytes]
    answer: str = '"label":"%s"'
    ready: str = "/"
    peer: str | None = None
    batches: bool = False


def as_json(value: object) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def tensors(row: Row, *, is_pandas: bool = False) -> bytes:
    """Return a row as an Open Inference request: one tensor, or one per column if some are text."""
    if not any(isinstance(value, str) for value in row.values()):
        data = list(row.values())
        return as_json(
            {
                "inputs": [
                    {"name": "rows", "datatype": "FP64", "shape": [1, len(data)], "data": data}
                ]
            }
        )
    inputs = []
    for name, value in row.items():
        is_text = isinstance(value, str)
        kind = "BYTES" if is_text else "FP64"
        # MLServer reads a column of a table from a tensor of one dimension per row.
        shape = [1, 1] if is_pandas else [1]
        made: dict[str, Any] = {"name": name, "datatype": kind, "shape": shape, "data": [value]}
        if is_pandas and is_text:
            made["parameters"] = {"content_type": "str"}
        inputs.append(made)
    body: dict[str, Any] = {"inputs": inputs}
    if is_pandas:
        body["parameters"] = {"content_type": "pd"}
    return as_json(body)


def all_servers() -> tuple[Server, ...]:
    """Return the servers in the order of the tables."""
    return (
        _by_hand("raw ASGI, compiled model", "compiled"),
        _by_hand("FastAPI, native model", "native"),
        _lit("LitServe", batch=1),
        _lit("LitServe, batches", batch=BATCH),
        _mlserver("MLServer", workers=1, batch=0),
        _mlserver("MLServer, batches", workers=1, batch=BATCH),
        _mlserver("MLServer, batches, in process", workers=0, batch=BATCH),
        _bento("BentoML", "single", batches=False),
        _bento("BentoML, batches", "batched", batches=True),
    )


@contextmanager
def running(server: Server, file: Path, folder: Path) -> Iterator[tuple[int, int]]:
    """Run a server until the end of the block.

    Yields:
        Its process and its port.

    Raises:
        NotRunningError: If it does not come up.
    """
    port = free_port()
    log = folder / "log.txt"
    environ = {**os.environ, **_ENVIRON, "MODEL_FILE": str(file), "BENTOML_HOME": str(folder)}
    with log.open("w") as out:
        process = subprocess.Popen(
            server.command(file, port, folder), stdout=out, stderr=out, env=environ,
            cwd=ROOT if server.peer is None else folder,
        )  # fmt: skip
        try:
            _wait(f"http://127.0.0.1:{port}{server.ready.replace('%s', file.stem)}", process, log)
            yield process.pid, port
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and the processes that it started, which not every server does itself."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=20)
    for child in children:
        # psutil compares the time of the start, so that nobody else's process is ended.
        with suppress(psutil.NoSuchProcess):
            child.kill()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends_at = time.perf_counter() + START_SECONDS
    while time.perf_counter() < ends_at and process.poll() is None:
        try:
            if httpx2.get(url, timeout=5).status_code in {200, 500}:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise NotRunningError(log.read_text()[-300:])


def _by_hand(title: str, form: str) -> Server:
    module = "tests.benchmarks.peers.by_hand"
    return Server(
        title,
        lambda file, port, _: [sys.executable, "-m", module, str(file), str(port), form],
        lambda _, row: post("/", as_json({"rows": [row]})),
        ready="/docs" if form == "native" else "/health",
    )


def _lit(title: str, *, batch: int) -> Server:
    script = str(_SCRIPTS / "lit_server.py")
    return Server(
        title,
        lambda file, port, _: [
            str(interpreter("litserve")), script, str(file), str(port), str(batch),
        ],
        lambda _, row: post("/predict", as_json({"row": row})),
        ready="/health",
        peer="litserve",
        batches=batch > 1,
    )  # fmt: skip


def _mlserver(title: str, *, workers: int, batch: int) -> Server:
    def command(file: Path, port: int, folder: Path) -> list[str]:
        settings = {
            "host": "127.0.0.1", "http_port": port, "grpc_port": free_port(),
            "metrics_port": free_port(), "parallel_workers": workers, "debug": False,
        }  # fmt: skip
        model = {
            "name": file.stem, "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": str(file)},
            **({"max_batch_size": batch, "max_batch_time": 0.005} if batch else {}),
        }  # fmt: skip
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "model-settings.json").write_text(json.dumps(model))
        return [str(interpreter("mlserver").with_name("mlserver")), "start", str(folder)]

    return Server(
        title,
        command,
        lambda name, row: post(f"/v2/models/{name}/infer", tensors(row, is_pandas=True)),
        answer='"data":["%s"]',
        ready="/v2/models/%s/ready",
        peer="mlserver",
        batches=batch > 1,
    )


def _bento(title: str, path: str, *, batches: bool) -> Server:
    def command(file: Path, port: int, folder: Path) -> list[str]:
        del file, folder
        return [
            str(interpreter("bentoml")), "-m", "bentoml", "serve", "bento_service:Model",
            "--working-dir", str(_SCRIPTS), "--host", "127.0.0.1", "--port", str(port),
        ]  # fmt: skip

    return Server(
        title,
        command,
        lambda _, row: post(f"/{path}", as_json({"rows": [row]})),
        answer='"label": "%s"',
        ready="/readyz",
        peer="bentoml",
        batches=batches,
    )
