"""The gate: which hosts the server answers to, which web pages may call it, and who is calling.

Without a check of ``Host``, a web page could reach a server on the visitor's own machine through
a name that it points there (DNS rebinding); without a check of ``Origin``, directly.
"""

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gql_platform.access.service import Access
from gql_platform.edge.problem import problem_response
from gql_platform.edge.state import remember, request_id_of
from gql_platform.errors import (
    AccessError,
    HostNotAllowedError,
    OriginNotAllowedError,
)

_HOST = re.compile(r"(\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(:[0-9]{1,5})?")

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Gate:
    """Let in whom the server is for, and note who it is.

    Args:
        app: What is behind the gate.
        access: What tells callers apart.
        allowed_hosts: The host names that requests may name, without ports; None allows any.
        allowed_origins: Origins of web pages that may call, besides the server's own.
        public_paths: Where anybody may call, whatever key they show.
        public_prefixes: What the further paths begin with where anybody may.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Access,
        allowed_hosts: Collection[str] | None,
        allowed_origins: Collection[str],
        public_paths: Collection[str] = (),
        public_prefixes: Collection[str] = (),
    ) -> None:
        self._app = app
        self._access = access
        self._allowed_hosts = allowed_hosts
        self._allowed_origins = allowed_origins
        self._public_paths = public_paths
        self._public_prefixes = tuple(public_prefixes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request or connection before anything else sees it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_host(headers.getlist("host"))
            self._check_origin(headers)
            key = None if self._is_public(scope["path"]) else headers.get("authorization")
            remember(scope, viewer=self._access.viewer(key))
        except AccessError as error:
            await _refuse(error, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_public(self, path: str) -> bool:
        return path in self._public_paths or path.startswith(self._public_prefixes)

    def _check_host(self, hosts: list[str]) -> None:
        if self._allowed_hosts is None:
            return
        if len(hosts) != 1 or host_name(hosts[0]) not in self._allowed_hosts:
            raise HostNotAllowedError(host=", ".join(hosts))

    def _check_origin(self, headers: Headers) -> None:
        origin = headers.get("origin")
        if origin is None:
            # Browsers leave the header out of some reads; then they tell where a page stands.
            site = headers.get("sec-fetch-site", "none")
            if site in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
                raise OriginNotAllowedError(origin=site)
            return
        own = f"//{headers.get('host', '')}"
        if origin.partition(":")[2] != own and origin not in self._allowed_origins:
            raise OriginNotAllowedError(origin=origin)


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header, without the port, in lower case; "" if it has none."""
    match = _HOST.fullmatch(host)
    if match is None:
        return ""
    return (match["address"] or match["name"]).rstrip(".").lower()


async def _refuse(error: AccessError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        return
    await problem_response(error, request_id=request_id_of(scope))(scope, receive, send)
