"""Listings that MLflow gives in pages."""

from collections.abc import Callable, Iterator
from typing import Any

PAGE_SIZE = 1000
"""The most that MLflow returns of a listing at once."""


def all_pages(search: Callable[..., Any], **query: object) -> list[Any]:
    """Return the whole of a listing."""
    return list(walked(search, **query))


def walked(search: Callable[..., Any], **query: object) -> Iterator[Any]:
    """Go through a listing; each page is fetched when it is needed."""
    query = {"max_results": PAGE_SIZE, **query}
    page = search(**query)
    yield from page
    while page.token:
        page = search(page_token=page.token, **query)
        yield from page
