"""The files that the pages load: scripts, styles, the icon."""

import functools
import gzip
import hashlib
import os
from pathlib import Path
from urllib.parse import parse_qs

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).with_name("static")
MOUNTED_AT = "/static"

_TEXT = frozenset({".css", ".js", ".svg"})
_FOREVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"
_GZIP = "-gzip"


@functools.cache
def fingerprints() -> dict[str, str]:
    """Return the first 16 hex digits of each file's SHA-256, by its path below `STATIC`."""
    return {
        path.relative_to(STATIC).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in sorted(STATIC.rglob("*"))
        if path.is_file()
    }


def asset_url(name: str) -> str:
    """Return the address of a file, which changes when the file does.

    Args:
        name: The file's path below `STATIC`, such as ``playground.js``.

    Raises:
        KeyError: If there is no such file.
    """
    return f"{MOUNTED_AT}/{name}?v={fingerprints()[name]}"


def static_files() -> StaticFiles:
    """Return the application that serves the files; mount it at `MOUNTED_AT`."""
    return _Assets(directory=STATIC)


@functools.cache
def _compressed(name: str) -> bytes:
    return gzip.compress((STATIC / name).read_bytes(), mtime=0)


class _Assets(StaticFiles):
    """Files that browsers keep: for ever under `asset_url`, and by ETag under the plain path.

    Text goes out compressed to whoever takes that; it is compressed once, in a thread.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the answer to a request."""
        response = await super().get_response(path, scope)
        if Path(path).suffix not in _TEXT or response.status_code not in (200, 304):
            return response
        response.headers["Vary"] = "Accept-Encoding"
        if not _takes_gzip(Headers(scope=scope).get("accept-encoding", "")):
            return response
        # The same name for another content would make caches mix them up.
        response.headers["ETag"] = response.headers["ETag"].removesuffix('"') + f'{_GZIP}"'
        if response.status_code == 304:
            return response
        body = await to_thread.run_sync(_compressed, Path(path).as_posix())
        headers = {
            name: value for name, value in response.headers.items() if name != "content-length"
        }
        return Response(body, headers={**headers, "Content-Encoding": "gzip"})

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
        """Return whether the browser's copy is still good, compressed or not."""
        known = request_headers.get("if-none-match")
        if known is not None:
            request_headers = Headers({"if-none-match": known.replace(f'{_GZIP}"', '"')})
        return super().is_not_modified(response_headers, request_headers)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Answer with a file, or with word that the browser's copy is still good."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        name = Path(full_path).relative_to(STATIC.resolve()).as_posix()
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v")
        is_current = asked == [fingerprints().get(name)]
        response.headers["Cache-Control"] = _FOREVER if is_current else _ASK_FIRST
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _takes_gzip(accept_encoding: str) -> bool:
    accepted = [part.partition(";") for part in accept_encoding.lower().split(",")]
    return any(
        name.strip() == "gzip" and weight.replace(" ", "") not in ("q=0", "q=0.0")
        for name, _, weight in accepted
    )
