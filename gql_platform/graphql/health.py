"""The state of the server in the schema."""

from collections.abc import AsyncIterator

import strawberry

from gql_platform.access.records import Permission
from gql_platform.graphql.context import Info
from gql_platform.graphql.permission import root_field, root_subscription
from gql_platform.graphql.schemas import SchemaChange
from gql_platform.graphql.serving import ServedModelType
from gql_platform.graphql.type_of import edge, type_of
from gql_platform.health.records import ServerStatus


@type_of(SchemaChange)
class SchemaChangeType:
    """The schema as it is since a moment."""

    fingerprint: strawberry.auto
    changed_at: strawberry.auto


@type_of(ServerStatus, name="Server")
class ServerType:
    """The server, as it is now."""

    version: strawberry.auto
    state: strawberry.auto
    is_ready: strawberry.auto
    problem: strawberry.auto
    started_at: strawberry.auto
    uptime_seconds: strawberry.auto
    models: list[ServedModelType]

    @edge(graphql_type=SchemaChangeType)
    @staticmethod
    def schema(parent: strawberry.Parent[ServerStatus], info: Info) -> SchemaChange:
        """The schema that the caller sees, for those who generate code from it."""
        del parent
        return info.context.schemas.change(info.context.viewer)


@strawberry.type
class HealthQuery:
    """Health's root field."""

    @root_field(Permission.SERVER_READ, graphql_type=ServerType | None)
    @staticmethod
    async def server(info: Info) -> ServerStatus:
        """The server: its version, its readiness, and the models that it serves."""
        return info.context.services.health.status()


@strawberry.type
class HealthSubscription:
    """Health's subscription."""

    @root_subscription(Permission.MODEL_READ, graphql_type=SchemaChangeType)
    @staticmethod
    async def schema_changed(info: Info) -> AsyncIterator[SchemaChange]:
        """The schema that the caller sees: as it is, and again whenever models change it."""
        async for change in info.context.schemas.changes(info.context.viewer):
            yield change
