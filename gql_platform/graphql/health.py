"""The state of the server in the schema."""

import strawberry

from gql_platform.access.records import Permission
from gql_platform.graphql.context import Info
from gql_platform.graphql.permission import root_field
from gql_platform.graphql.serving import ServedModelType
from gql_platform.graphql.type_of import type_of
from gql_platform.health.records import ServerStatus


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


@strawberry.type
class HealthQuery:
    """Health's root field."""

    @root_field(Permission.SERVER_READ, graphql_type=ServerType | None)
    @staticmethod
    async def server(info: Info) -> ServerStatus:
        """The server: its version, its readiness, and the models that it serves."""
        return info.context.services.health.status()
