"""The HTML pages."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gql_platform.playground.assets import MOUNTED_AT, asset_url

_PAGES = Path(__file__).with_name("pages")
_DATA_MARK = "{{ data }}"
_ASSET = re.compile(rf'(?<="){MOUNTED_AT}/([^"?]+)(?=")')

_ALLOWED_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    # GraphiQL's editor and Swagger UI set inline styles, and neither takes a nonce for them.
    "style-src": "'self' 'unsafe-inline'",
    # Both bring icons and fonts along as data URLs.
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    # This includes WebSockets to the page's own host and port.
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(
    f"{directive} {sources}" for directive, sources in _ALLOWED_SOURCES.items()
)

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    # The same address answers API clients with JSON, so caches must tell them apart.
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of the playground, as a first-time visitor finds it.

    Attributes:
        query: The text of the document; GraphiQL writes its operation's name on the tab.
        variables: Example values of its variables, if it has any.
    """

    query: str
    variables: Mapping[str, object] | None = None


class Page:
    """An ASGI application that shows one page.

    Args:
        file: The name of the HTML file in ``pages/``.
        data_of: Returns what the page's script reads, as plain JSON values, for the scope of a
            request.
    """

    def __init__(self, file: str, data_of: Callable[[Scope], Mapping[str, object]]) -> None:
        html = (_PAGES / file).read_text(encoding="utf-8")
        self._html = _ASSET.sub(lambda match: asset_url(match[1]), html)
        self._data_of = data_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page.

        Raises:
            HTTPException: If the request is neither GET nor HEAD.
        """
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        html = self._html.replace(_DATA_MARK, embedded_json(self._data_of(scope)))
        response = Response(html, headers=_HEADERS, media_type="text/html")
        await response(scope, receive, send)


class Playground(Page):
    """GraphiQL, with tabs to begin with.

    Args:
        tabs_of: Returns what a first-time visitor finds, for the scope of a request; whoever was
            here before finds their own tabs again.
        graphql_path: The path of the GraphQL API, for requests and for WebSockets.
    """

    def __init__(
        self, tabs_of: Callable[[Scope], Sequence[Tab]], *, graphql_path: str = "/graphql"
    ) -> None:
        def data_of(scope: Scope) -> Mapping[str, object]:
            tabs = [
                {"query": tab.query, "variables": _as_typed(tab.variables)}
                for tab in tabs_of(scope)
            ]
            return {"graphqlPath": graphql_path, "tabs": tabs}

        super().__init__("playground.html", data_of)


def docs_page(openapi_path: str = "/openapi.json") -> Page:
    """Return the application that shows Swagger UI.

    Args:
        openapi_path: The path of the OpenAPI description.
    """
    return Page("docs.html", lambda _: {"openapiPath": openapi_path})


def embedded_json(data: object) -> str:
    """Write data so that they can stand inside an HTML ``script`` element.

    ``<`` is the only character that could end the element or open a comment in it.
    """
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")


def _as_typed(variables: Mapping[str, object] | None) -> str | None:
    """Return variables as a person would type them into GraphiQL's editor."""
    return None if variables is None else json.dumps(variables, indent=2, ensure_ascii=False)
