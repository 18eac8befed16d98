"""A GraphQL client that needs no server."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import orjson
from strawberry import Schema
from strawberry.types import ExecutionResult

from gql_platform.access.records import LOCAL, Viewer
from gql_platform.graphql.context import Context
from gql_platform.graphql.schema import build_schema
from gql_platform.graphql.schemas import Schemas
from gql_platform.services import Services

REQUEST_ID = "test-request"
"""The request id in the errors of every answer."""


class GraphQLClient:
    """Run documents against the real schema of some services, in process.

    The schema has the typed predictions of the models that are loaded when the client is made.

    Args:
        services: All use cases.
        viewer: Who calls; by default somebody who may do everything.
        schema: Another schema than the one of the services' models.
    """

    def __init__(
        self, services: Services, *, viewer: Viewer = LOCAL, schema: Schema | None = None
    ) -> None:
        self._services = services
        self._viewer = viewer
        self.schemas = Schemas(build_schema)
        self.schemas.swap(services.serving.models())
        self.schema = schema or self.schemas.full

    async def execute(
        self, document: str, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run a query or mutation and return the answer as it would be sent.

        Args:
            document: The text of the document.
            variables: Values of its variables.

        Returns:
            ``{"data": ...}``, with ``"errors"`` where there are any.
        """
        result = await self.schema.execute(
            document, variable_values=dict(variables or {}), context_value=self.context()
        )
        return _answer(result)

    async def subscribe(
        self, document: str, variables: Mapping[str, Any] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Run a subscription and yield each event as it would be sent."""
        results = await self.schema.stream(
            document, variable_values=dict(variables or {}), context_value=self.context()
        )
        async for result in cast("AsyncIterator[ExecutionResult]", results):
            yield _answer(result)

    def context(self) -> Context:
        """Return the context of one operation, as the server would make it."""
        return Context(self._services, self._viewer, REQUEST_ID, self.schemas)


def _answer(result: ExecutionResult) -> dict[str, Any]:
    # Arrays become lists, as they do on the wire.
    data = orjson.loads(orjson.dumps(result.data, option=orjson.OPT_SERIALIZE_NUMPY))
    answer: dict[str, Any] = {"data": data}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    return answer
