"""The GraphQL type of a link to a file, for the features that give files out."""

import strawberry

from gql_platform.downloads.records import Download
from gql_platform.graphql.type_of import type_of


@type_of(Download)
class DownloadType:
    """A link to a file."""

    url: strawberry.auto
    expires_at: strawberry.auto
