"""Files over HTTP, by the links that GraphQL gives out."""

import re
import unicodedata
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import anyio
from fastapi import APIRouter, Depends, Request
from fastapi import Path as Parameter
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gql_platform.downloads.records import BINARY, OpenFile
from gql_platform.downloads.service import PATH
from gql_platform.rest.permission import Allow
from gql_platform.services import Services

router = APIRouter(tags=["downloads"])

SECRET_PREFIXES = (PATH,)
"""Whoever knows a path below these may do what it stands for: nobody is asked for a key there, and
no log shows it whole.
"""

HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    # A page that somebody logged with a run must not act as one of the server's own.
    "Content-Security-Policy": "default-src 'none'; sandbox",
}

Anybody = Annotated[Services, Depends(Allow(None))]

_UNWANTED = re.compile(r'[\x00-\x1f\x7f-\x9f"\\/:*?<>|%;]')
"""What some system takes in a file's name for something else."""


class Attachment(Response):
    """A file that is saved and not shown, for the description of the route."""

    media_type = BINARY


class FileInParts(FileResponse):
    """A file on disk, of which parts can be asked for."""

    chunk_size = 256 * 1024
    """So much of it is in memory at once: enough that the threads that read are not the limit."""


class Released(Response):
    """An answer after which something is let go of, also when its reader goes away.

    Args:
        answer: It.
        release: Lets go of what it needs.
    """

    def __init__(self, answer: Response, release: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._answer = answer
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and let go."""
        try:
            await self._answer(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._release()


@router.head("/downloads/{token}", include_in_schema=False)
@router.get(
    "/downloads/{token}", summary="Fetch a file by a signed link", response_class=Attachment
)
async def download(
    token: Annotated[str, Parameter(description="What a query returned in `download { url }`.")],
    request: Request,
    services: Anybody,
) -> Response:
    """Send the file that a link leads to; the link is the permission, and no key is needed."""
    grant, file = await services.downloads.open(token)
    headers = {**HEADERS, "Content-Disposition": content_disposition(grant.name)}
    return Released(_answer(file, headers, is_head=request.method == "HEAD"), file.release)


def _answer(file: OpenFile, headers: dict[str, str], *, is_head: bool) -> Response:
    if isinstance(file.content, Path):
        return FileInParts(file.content, headers=headers, media_type=file.media_type)
    if file.size_bytes is not None:
        headers["Content-Length"] = str(file.size_bytes)
    if is_head:
        return Response(headers=headers, media_type=file.media_type)
    return StreamingResponse(file.content, headers=headers, media_type=file.media_type)


def content_disposition(name: str) -> str:
    """Return the header that tells a browser to save a file under a name.

    As RFC 6266 (appendix D) advises, a name that ASCII cannot write stands there twice: as well as
    it can, and as RFC 8187 writes all others.
    """
    name = _UNWANTED.sub("_", name).strip() or "download"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    if plain == name:
        return f'attachment; filename="{name}"'
    written = quote(name, safe="", errors="replace")
    return f"attachment; filename=\"{plain or 'download'}\"; filename*=UTF-8''{written}"
