"""Our endpoint: the execution of GraphQL, joined to the services."""

from starlette.types import ASGIApp, Scope

from gql_platform.edge.state import request_id_of, viewer_of
from gql_platform.errors import InvalidKeyError
from gql_platform.graphql.context import Context
from gql_platform.graphql.execution.endpoint import GraphQLEndpoint
from gql_platform.graphql.execution.websocket import WebSocketEndpoint
from gql_platform.graphql.schema import build_schema
from gql_platform.services import Services


def graphql_endpoint(services: Services, *, page: ASGIApp | None = None) -> GraphQLEndpoint:
    """Make the endpoint with the static core; the living part is swapped in later.

    Args:
        services: All use cases.
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
        build_schema(),
        context_of=context_of,
        request_id_of=request_id_of,
        page=page,
        websocket=WebSocketEndpoint(lambda: endpoint.schema, context_of=context_of, greet=greet),
    )
    return endpoint
