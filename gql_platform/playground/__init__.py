"""Placeholder until the real room is there: the interface that app.py uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    query: str
    variables: dict[str, object] | None


def Playground(tabs: Sequence[Tab], *, graphql_path: str) -> ASGIApp:
    return HTMLResponse(" ".join(tab.name for tab in tabs))


def docs_page(openapi_path: str) -> ASGIApp:
    return HTMLResponse("docs")


def static_files() -> ASGIApp:
    return HTMLResponse("static")
