"""Tags in the schema, as models, versions, experiments and runs have them."""

import strawberry

from gql_platform.graphql.type_of import type_of
from gql_platform.registry.records import Tag


@type_of(Tag)
class TagType:
    """A key and a value."""

    key: strawberry.auto
    value: strawberry.auto
