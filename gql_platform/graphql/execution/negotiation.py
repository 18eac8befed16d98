"""The media types of answers, chosen as the GraphQL-over-HTTP specification has it."""

from functools import lru_cache

from gql_platform.graphql.execution.request import RequestError

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
_ANYTHING = ("*/*", "application/*")


@lru_cache(maxsize=256)
def accepted_type(accept: str | None) -> str:
    """Choose the media type of the answer.

    Args:
        accept: The ``Accept`` header; a caller without one gets ``application/json``.

    Raises:
        RequestError: If the caller takes neither of the two.
    """
    if not accept:
        return JSON
    for part in _by_preference(accept):
        if part == GRAPHQL_RESPONSE:
            return GRAPHQL_RESPONSE
        if part == JSON or part in _ANYTHING:
            return JSON
    raise RequestError(
        406,
        f"Answers come as {GRAPHQL_RESPONSE} or {JSON}; name one of them in `Accept`.",
        code="NOT_ACCEPTABLE",
    )


@lru_cache(maxsize=256)
def wants_events(accept: str | None) -> bool:
    """Return whether a client wants a stream of events above all.

    Some clients name every media type that they can read; they want JSON for what is no
    subscription, and say so by naming that first.
    """
    return bool(accept) and _by_preference(accept or "")[:1] == ["text/event-stream"]


def wants_page(method: str, accept: str | None) -> bool:
    """Return whether a browser asks for a page to look at."""
    return method == "GET" and "text/html" in (accept or "")


def _by_preference(accept: str) -> list[str]:
    parsed = []
    for position, part in enumerate(accept.split(",")):
        name, *parameters = [piece.strip() for piece in part.lower().split(";")]
        weights = [p[2:] for p in parameters if p.startswith("q=")]
        try:
            weight = float(weights[0]) if weights else 1.0
        except ValueError:
            weight = 0.0
        if weight > 0:
            parsed.append((-weight, position, name))
    return [name for _, _, name in sorted(parsed)]
