"""The schema: a static core, and a living part for the models that are served."""

import functools
from collections.abc import Iterable, Sequence

import strawberry
from strawberry.schema.config import StrawberryConfig

from gql_platform.contract import operations
from gql_platform.graphql.deployments import (
    DeploymentsMutation,
    DeploymentsQuery,
    DeploymentsSubscription,
)
from gql_platform.graphql.events import EventsQuery, EventsSubscription
from gql_platform.graphql.execution.documents import hash_of
from gql_platform.graphql.execution.inputs import resolve_directly, take_as_dictionaries
from gql_platform.graphql.execution.schema import CompiledSchema
from gql_platform.graphql.execution.trusted import TrustedDocument
from gql_platform.graphql.exports import ExportsMutation
from gql_platform.graphql.health import HealthQuery, HealthSubscription
from gql_platform.graphql.jobs import JobsMutation, JobsQuery, JobsSubscription
from gql_platform.graphql.lineage import LineageQuery
from gql_platform.graphql.live import LiveSubscription
from gql_platform.graphql.living import predict_query, typed_models
from gql_platform.graphql.model_changes import ModelsMutation
from gql_platform.graphql.nodes import NODE_KINDS, NodeQuery
from gql_platform.graphql.operations import PlatformHooks
from gql_platform.graphql.permission import check_permissions
from gql_platform.graphql.registry import RegistryQuery
from gql_platform.graphql.run_changes import RunsMutation
from gql_platform.graphql.run_inputs import METRIC_KEYS, MetricInput
from gql_platform.graphql.runs import TrackingQuery
from gql_platform.graphql.scalars import SCALARS
from gql_platform.graphql.schedules import SchedulesMutation, SchedulesQuery
from gql_platform.graphql.serving import ServingQuery, ServingSubscription
from gql_platform.graphql.webhook_changes import WebhooksMutation
from gql_platform.graphql.webhooks import WebhooksQuery
from gql_platform.serving.records import ServedModel

QUERIES: tuple[type, ...] = (
    NodeQuery, RegistryQuery, TrackingQuery, ServingQuery, DeploymentsQuery, EventsQuery,
    JobsQuery, SchedulesQuery, WebhooksQuery, LineageQuery, HealthQuery,
)  # fmt: skip
MUTATIONS: tuple[type, ...] = (
    DeploymentsMutation, ModelsMutation, RunsMutation, JobsMutation, ExportsMutation,
    SchedulesMutation,    WebhooksMutation,
)  # fmt: skip
SUBSCRIPTIONS: tuple[type, ...] = (
    ServingSubscription, DeploymentsSubscription, EventsSubscription, JobsSubscription,
    HealthSubscription, LiveSubscription,
)  # fmt: skip
"""The features' parts of the root types."""


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
    queries = [*QUERIES, *more_queries]
    served = tuple(models)
    named = typed_models(served, taken=_static_type_names()) if served else []
    predict = predict_query(named) if named else None
    if predict is not None:
        queries.append(predict.query)
    query = _merged("Query", queries, "Everything that can be read.")
    mutation = _merged("Mutation", MUTATIONS, "Everything that can be changed.")
    subscription = _merged("Subscription", SUBSCRIPTIONS, "What can be followed.")
    check_permissions(query, mutation, subscription)
    schema = CompiledSchema(
        query,
        mutation,
        subscription,
        types=[kind.graphql_type for kind in NODE_KINDS.values()],
        config=StrawberryConfig(scalar_map=SCALARS),
        hooks=PlatformHooks(),
        introspection=introspection,
        suggestions=suggestions,
        trusted=[*own_documents(), *trusted],
        only_trusted=only_trusted,
    )
    bulk = {MetricInput: METRIC_KEYS, **(predict.columns if predict else {})}
    for row_type, columns in bulk.items():
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


def _merged(name: str, parts: Sequence[type], description: str) -> type:
    """Make one root type of the features' parts."""
    return strawberry.type(type(name, tuple(parts), {}), name=name, description=description)


@functools.cache
def _static_type_names() -> frozenset[str]:
    """Return the names that the living part must not take."""
    return build_schema().type_names
