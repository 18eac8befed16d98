"""Our endpoint: the execution of GraphQL, joined to the services."""

from starlette.types import ASGIApp, Scope
from strawberry import Schema

from gql_platform.edge.state import request_id_of, viewer_of
from gql_platform.errors import InvalidKeyError
from gql_platform.graphql.context import Context
from gql_platform.graphql.execution.endpoint import GraphQLEndpoint
from gql_platform.graphql.execution.websocket import WebSocketEndpoint
from gql_platform.services import Services


def graphql_endpoint(
    services: Services, schema: Schema, *, page: ASGIApp | None = None
) -> GraphQLEndpoint:
    """Make the endpoint; the schema with the living part is swapped in later.

    Args:
        services: All use cases.
        schema: The schema to begin with.
        page: What browsers get to see.
    """

    def context_of(scope: Scope) -> Context:
        return Context(services, viewer_of(scope), request_id_of(scope))

    def greet(context: Context) -> bool:
        """Let a client show its key in the first message, for browsers cannot send headers."""
        parameters = context.connection_params or {}
        given = next((v for k, v in parameters.items() if k.lower() == "authorization"), None)
        if given is None:
            return True
        try:
            context.viewer = services.access.viewer(str(given))
        except InvalidKeyError:
            return False
        return True

    endpoint = GraphQLEndpoint(
        schema,
        context_of=context_of,
        request_id_of=request_id_of,
        page=page,
        websocket=WebSocketEndpoint(lambda: endpoint.schema, context_of=context_of, greet=greet),
    )
    return endpoint
