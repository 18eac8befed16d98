"""The schema: a static core, and a living part for the models that are served."""

import asyncio
import functools
from collections.abc import Iterable, Sequence
from typing import Annotated

import strawberry
from strawberry.schema.config import StrawberryConfig

from gql_platform.access.records import Permission
from gql_platform.contract import operations
from gql_platform.errors import TooManyIDsError
from gql_platform.graphql.context import Context, Info
from gql_platform.graphql.deployments import (
    DeploymentsMutation,
    DeploymentsQuery,
    DeploymentsSubscription,
    DeploymentType,
)
from gql_platform.graphql.events import EventsQuery, EventsSubscription, EventType
from gql_platform.graphql.execution.documents import hash_of
from gql_platform.graphql.execution.inputs import resolve_directly, take_as_dictionaries
from gql_platform.graphql.execution.limits.declarations import ListSize
from gql_platform.graphql.execution.schema import CompiledSchema
from gql_platform.graphql.execution.trusted import TrustedDocument
from gql_platform.graphql.health import HealthQuery, HealthSubscription
from gql_platform.graphql.lineage import LineageQuery
from gql_platform.graphql.living import predict_query, typed_models
from gql_platform.graphql.node import Node, decode_id
from gql_platform.graphql.operations import PlatformHooks
from gql_platform.graphql.permission import check_permissions, root_field
from gql_platform.graphql.registry import ModelType, ModelVersionType, RegistryQuery, version_ref
from gql_platform.graphql.runs import TrackingQuery
from gql_platform.graphql.scalars import SCALARS
from gql_platform.graphql.serving import ServingQuery, ServingSubscription
from gql_platform.graphql.tracking import ExperimentType, RunType
from gql_platform.serving.records import ServedModel

MAX_IDS = 100
"""How many objects one field fetches."""

_NODE_TYPES = (ModelType, ModelVersionType, RunType, ExperimentType, DeploymentType, EventType)


@strawberry.type
class NodeQuery:
    """Fetching by global id."""

    @root_field(Permission.MODEL_READ, graphql_type=Node | None)
    @staticmethod
    async def node(
        info: Info,
        id: Annotated[  # noqa: A002 - the name that the Relay specification gives it
            strawberry.ID, strawberry.argument(description="Its id.")
        ],
    ) -> object | None:
        """The object with a global id; null when it is gone."""
        return await fetch_node(info.context, id)

    @root_field(
        Permission.MODEL_READ,
        graphql_type=list[Node | None] | None,
        directives=[ListSize(slicing_arguments=["ids"])],
    )
    @staticmethod
    async def nodes(
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"Their ids, at most {MAX_IDS}."),
        ],
    ) -> list[object | None]:
        """The objects with these global ids, in their order; null for each that is gone."""
        if len(ids) > MAX_IDS:
            raise TooManyIDsError(count=len(ids), maximum=MAX_IDS)
        return list(await asyncio.gather(*(fetch_node(info.context, each) for each in ids)))


def build_schema(
    models: Iterable[ServedModel] = (),
    *,
    introspection: bool = True,
    suggestions: bool = False,
    trusted: Sequence[TrustedDocument] = (),
    only_trusted: bool = False,
    more_queries: Sequence[type] = (),
) -> CompiledSchema:
    """Build a schema; any number of them can stand beside each other.

    Args:
        models: The served models, each of which gets a typed field under `predict`; without any,
            the schema is the static core.
        introspection: Whether documents may ask for the schema.
        suggestions: Whether errors suggest names that the schema has.
        trusted: Documents that are kept for good, beside our own operations.
        only_trusted: Whether no others run.
        more_queries: Further Strawberry types whose fields join `Query`.

    Raises:
        TypeError: If a root field declares no permission.
    """
    queries: list[type] = [
        NodeQuery, RegistryQuery, TrackingQuery, ServingQuery, DeploymentsQuery, EventsQuery,
        HealthQuery, LineageQuery,
        *more_queries,
    ]  # fmt: skip
    served = tuple(models)
    named = typed_models(served, taken=_static_type_names()) if served else []
    predict = predict_query(named) if named else None
    if predict is not None:
        queries.append(predict.query)
    query = _merged("Query", queries, "Everything that can be read.")
    mutation = _merged("Mutation", [DeploymentsMutation], "Everything that can be changed.")
    subscription = _merged(
        "Subscription",
        [ServingSubscription, DeploymentsSubscription, EventsSubscription, HealthSubscription],
        "What can be followed.",
    )
    check_permissions(query, mutation, subscription)
    schema = CompiledSchema(
        query,
        mutation,
        subscription,
        types=_NODE_TYPES,
        config=StrawberryConfig(scalar_map=SCALARS),
        hooks=PlatformHooks(),
        introspection=introspection,
        suggestions=suggestions,
        trusted=[*own_documents(), *trusted],
        only_trusted=only_trusted,
    )
    for row_type, columns in (predict.columns if predict else {}).items():
        take_as_dictionaries(schema, row_type, columns)
    for model in named:
        resolve_directly(schema, "Predict", model.field)
    for field in ("predict", "predictRows") if named else ("predictRows",):
        resolve_directly(schema, "Query", field)
    return schema


@functools.cache
def own_documents() -> tuple[TrustedDocument, ...]:
    """Return our own operations as trusted documents."""
    return tuple(
        TrustedDocument(f"sha256:{hash_of(each.text)}", each.text, f"operations/{each.name}")
        for each in operations()
    )


async def fetch_node(context: Context, node_id: str) -> object | None:
    """Return the record behind a global id, or None when it is gone.

    Raises:
        InvalidIDError: If it is the id of nothing that this schema has.
    """
    type_name, key = decode_id(node_id)
    if type_name == "Model":
        return await context.loaders.models.load(key)
    if type_name == "Experiment":
        context.viewer.require(Permission.RUN_READ)
        return await context.loaders.experiments.load(key)
    if type_name == "Run":
        context.viewer.require(Permission.RUN_READ)
        return await context.loaders.runs.load(key)
    if type_name == "Deployment":
        return context.services.serving.deployment(key)
    if type_name == "Event":
        context.viewer.require(Permission.EVENT_READ)
        return await context.loaders.events.load(key)
    ref = version_ref(node_id)
    versions = await context.loaders.versions.load(ref.model) or ()
    return next((version for version in versions if version.version == ref.version), None)


def _merged(name: str, parts: Sequence[type], description: str) -> type:
    """Make one root type of the features' parts."""
    return strawberry.type(type(name, tuple(parts), {}), name=name, description=description)


@functools.cache
def _static_type_names() -> frozenset[str]:
    """Return the names that the living part must not take."""
    return build_schema().type_names
