"""What the edge found out about a request, for whoever answers it."""

from starlette.types import Scope

from gql_platform.access.records import Viewer


def remember(scope: Scope, **facts: object) -> None:
    """Note facts in the scope's state, where Starlette's requests show them as well."""
    scope.setdefault("state", {}).update(facts)


def viewer_of(scope: Scope) -> Viewer:
    """Return who is calling."""
    viewer: Viewer = scope["state"]["viewer"]
    return viewer


def request_id_of(scope: Scope) -> str:
    """Return the id under which the log knows the request."""
    request_id: str = scope["state"]["request_id"]
    return request_id
