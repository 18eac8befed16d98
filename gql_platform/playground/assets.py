"""The files that the pages load: scripts, styles, the icon."""

import functools
import hashlib
import os
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).with_name("static")
MOUNTED_AT = "/static"

_FOREVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"


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


class _Assets(StaticFiles):
    """Files that browsers keep: for ever under `asset_url`, and by ETag under the plain path."""

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
