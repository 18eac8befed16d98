"""Our endpoint: the execution of GraphQL, joined to the services."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.types import ASGIApp, Scope

from gql_platform.access.records import Permission
from gql_platform.edge.state import remember, request_id_of, viewer_of
from gql_platform.errors import InvalidKeyError
from gql_platform.graphql.context import Context
from gql_platform.graphql.execution.endpoint import GraphQLEndpoint
from gql_platform.graphql.execution.schema import CompiledSchema
from gql_platform.graphql.execution.websocket import WebSocketEndpoint
from gql_platform.services import Services
from gql_platform.serving.records import ServedModel


class Schemas:
    """The schema, as far as a caller may see it.

    Args:
        build: Makes the schema of some models; without any, it is the static core.

    Attributes:
        core: The static core, for those who may not read models: the living part shows their names
            and columns.
        full: All of it.
    """

    def __init__(self, build: Callable[[Iterable[ServedModel]], CompiledSchema]) -> None:
        self._build = build
        self.core = self.full = build(())

    def swap(self, models: Iterable[ServedModel]) -> None:
        """Show these models; operations at work end with the schema that they began with."""
        self.full = self._build(models)

    def of(self, context: Context) -> CompiledSchema:
        """Return the schema for whoever has a context."""
        return self.full if Permission.MODEL_READ in context.viewer.permissions else self.core


def graphql_endpoint(
    services: Services, schemas: Schemas, *, page: ASGIApp | None = None
) -> GraphQLEndpoint:
    """Make the endpoint.

    Args:
        services: All use cases.
        schemas: The schemas that it answers with.
        page: What browsers get to see.
    """

    def context_of(scope: Scope) -> Context:
        return Context(services, viewer_of(scope), request_id_of(scope))

    def greet(scope: Scope, payload: Mapping[str, Any]) -> bool:
        """Let a client show its key in the first message, for browsers cannot send headers."""
        given = next((v for k, v in payload.items() if k.lower() == "authorization"), None)
        if given is None:
            return True
        try:
            remember(scope, viewer=services.access.viewer(str(given)))
        except InvalidKeyError:
            return False
        return True

    return GraphQLEndpoint(
        schemas.of,
        context_of=context_of,
        request_id_of=request_id_of,
        page=page,
        websocket=WebSocketEndpoint(schemas.of, context_of=context_of, greet=greet),
    )
