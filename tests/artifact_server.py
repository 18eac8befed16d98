"""A server that speaks the part of MLflow's protocol that reads artifacts."""

import json
import posixpath
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

PREFIX = "/api/2.0/mlflow-artifacts/artifacts"


@contextmanager
def artifact_server_of(folder: Path) -> Iterator[ThreadingHTTPServer]:
    """Give out the files of a folder on a free port of this machine."""
    with serving(_handler(folder)) as server:
        yield server


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[ThreadingHTTPServer]:
    """Answer requests on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
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
        {
            "path": posixpath.basename(file.name),
            "is_dir": file.is_dir(),
            "file_size": file.stat().st_size,
        }
        for file in found
    ]
    return json.dumps({"files": files}).encode()
