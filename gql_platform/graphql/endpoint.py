"""Our endpoint: the execution of GraphQL, joined to the services."""

from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Scope

from gql_platform.edge.state import remember, request_id_of, viewer_of
from gql_platform.errors import InvalidKeyError
from gql_platform.graphql.context import Context
from gql_platform.graphql.execution.endpoint import GraphQLEndpoint
from gql_platform.graphql.execution.schema import CompiledSchema
from gql_platform.graphql.execution.websocket import WebSocketEndpoint
from gql_platform.graphql.schemas import Schemas
from gql_platform.services import Services


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
        return Context(services, viewer_of(scope), request_id_of(scope), schemas)

    def schema_of(context: Context) -> CompiledSchema:
        return schemas.of(context.viewer)

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
        schema_of,
        context_of=context_of,
        request_id_of=request_id_of,
        page=page,
        websocket=WebSocketEndpoint(schema_of, context_of=context_of, greet=greet),
    )
