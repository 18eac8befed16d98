"""The schema as a whole: its contract, its permissions, its names."""

import keyword
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    parse,
    validate,
)
from graphql import (
    build_schema as parse_sdl,
)

from gql_platform.access.records import ANONYMOUS, Permission, Viewer
from gql_platform.contract import OperationDocument, contract_folder, operations
from gql_platform.export import outdated_files
from gql_platform.graphql.node import encode_id
from gql_platform.graphql.schema import build_schema
from gql_platform.registry.records import Column, ColumnType, Signature
from gql_platform.services import Services
from gql_platform.serving.records import ModelState, ServedModel, Task
from gql_platform.testing import GraphQLClient

pytestmark = pytest.mark.anyio


def graphql_core_schema(*models: ServedModel) -> GraphQLSchema:
    """Return the schema as graphql-core knows it."""
    return parse_sdl(build_schema(models).as_str())


def served(name: str, *columns: Column, task: Task = Task.REGRESSION) -> ServedModel:
    """Return a model that is ready."""
    return ServedModel(
        model=name,
        version=1,
        state=ModelState.READY,
        task=task,
        labels=(),
        reason=None,
        loaded_at=None,
        load_ms=None,
        signature=Signature(columns, ()),
    )


def double(name: str, *, required: bool = True) -> Column:
    """Return a column of numbers."""
    return Column(name, ColumnType.DOUBLE, required)


def test_the_committed_contract_is_what_the_code_says() -> None:
    assert outdated_files(contract_folder()) == [], "run `make schema`"


def described(schema: GraphQLSchema) -> list[tuple[str, str | None]]:
    """Return everything in a schema that can have a description."""
    found: list[tuple[str, str | None]] = []
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        found.append((name, kind.description))
        if isinstance(kind, GraphQLEnumType):
            found += [(f"{name}.{key}", value.description) for key, value in kind.values.items()]
        if isinstance(kind, GraphQLInputObjectType):
            found += [(f"{name}.{key}", field.description) for key, field in kind.fields.items()]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for key, field in kind.fields.items():
                found.append((f"{name}.{key}", field.description))
                found += [
                    (f"{name}.{key}({argument})", value.description)
                    for argument, value in field.args.items()
                ]
    return found


def test_everything_has_a_description() -> None:
    schema = graphql_core_schema(served("m", double("x")))

    assert [name for name, description in described(schema) if not description] == []


def test_a_field_without_a_permission_does_not_build() -> None:
    @strawberry.type
    class Careless:
        @strawberry.field
        async def secret(self) -> str:
            return "told"

    with pytest.raises(TypeError, match=r"Query\.secret declares no permission"):
        build_schema(more_queries=[Careless])


WEBHOOK = encode_id("Webhook", "00000000-0000-4000-8000-000000000000")

ROOT_FIELDS = {
    '{ node(id: "TW9kZWw6d2luZQ") { id } }': Permission.MODEL_READ,
    '{ nodes(ids: ["TW9kZWw6d2luZQ"]) { id } }': Permission.MODEL_READ,
    "{ models { totalCount } }": Permission.MODEL_READ,
    '{ model(by: {name: "iris_species"}) { name } }': Permission.MODEL_READ,
    '{ modelVersion(by: {number: {model: "iris_species", version: 1}}) { version } }': (
        Permission.MODEL_READ
    ),
    '{ predictRows(model: "house_price", rows: [[1, 1, true]]) { version } }': (
        Permission.MODEL_PREDICT
    ),
    "{ predict { housePrice(rows: [{livingAreaM2: 1, numberOfRooms: 1, hasAGarden: true}]) "
    "{ version } } }": Permission.MODEL_PREDICT,
    "{ deployments { totalCount } }": Permission.MODEL_READ,
    '{ deployment(model: "house_price") { revision } }': Permission.MODEL_READ,
    "{ experiments { totalCount } }": Permission.RUN_READ,
    '{ experiment(by: {name: "Default"}) { name } }': Permission.RUN_READ,
    "{ runs { totalCount } }": Permission.RUN_READ,
    '{ run(by: {runId: "run-iris"}) { name } }': Permission.RUN_READ,
    "{ runComparison(ids: []) { missing } }": Permission.RUN_READ,
    "{ metricSeries(runs: [], keys: []) { key } }": Permission.RUN_READ,
    "{ events { totalCount } }": Permission.EVENT_READ,
    '{ job(id: "Sm9iOjAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw") { kind } }': Permission.JOB_READ,
    "{ jobs { totalCount } }": Permission.JOB_READ,
    "{ jobSchedules { cron } }": Permission.JOB_READ,
    "{ webhooks { url } }": Permission.WEBHOOK_READ,
    f'{{ webhook(id: "{WEBHOOK}") {{ url }} }}': Permission.WEBHOOK_READ,
    f'{{ webhookDeliveries(webhook: "{WEBHOOK}") {{ totalCount }} }}': Permission.WEBHOOK_READ,
    "{ server { version } }": Permission.SERVER_READ,
    '{ lineage(of: {runId: "run-iris"}) { truncated } }': Permission.RUN_READ,
}
ALSO_NEEDED = {'{ lineage(of: {runId: "run-iris"}) { truncated } }': {Permission.MODEL_READ}}
"""What else a field needs, which those who are refused here have."""


@pytest.mark.parametrize("document", ROOT_FIELDS)
@pytest.mark.parametrize("granted", Permission)
async def test_each_root_field_needs_its_permission_and_no_other(
    services: Services, document: str, granted: Permission
) -> None:
    permissions = frozenset({granted} | ALSO_NEEDED.get(document, set()))
    viewer = Viewer(name="somebody", permissions=permissions)
    answer = await GraphQLClient(services, viewer=viewer).execute(document)

    if ROOT_FIELDS[document] is granted:
        assert "errors" not in answer
    else:
        (error,) = answer["errors"]
        assert ("FORBIDDEN", ROOT_FIELDS[document].value) == (
            error["extensions"]["code"],
            error["extensions"]["permission"],
        )
        assert list(answer["data"].values()) == [None]


async def test_a_caller_without_a_key_is_told_to_show_one(services: Services) -> None:
    client = GraphQLClient(services, viewer=ANONYMOUS)
    answer = await client.execute("{ server { version } }")
    (event,) = [
        event async for event in client.subscribe("subscription { liveMetrics { sampledAt } }")
    ]

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert event["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_the_matrix_above_has_every_root_field() -> None:
    schema = graphql_core_schema(served("m", double("x")))
    query = schema.query_type
    assert query is not None

    tested = {str(parse(document).to_dict()) for document in ROOT_FIELDS}
    names = {document.strip("{ ").split("(")[0].split(" ")[0] for document in ROOT_FIELDS}
    assert set(query.fields) == names
    assert len(tested) == len(ROOT_FIELDS)


def test_a_second_schema_stands_beside_the_first() -> None:
    first = graphql_core_schema(served("first", double("x")))
    second = graphql_core_schema(served("second", double("x")))

    assert {"first"} == set(_fields(first, "Predict"))
    assert {"second"} == set(_fields(second, "Predict"))


def _fields(schema: GraphQLSchema, name: str) -> dict[str, Any]:
    kind = schema.type_map[name]
    assert isinstance(kind, GraphQLObjectType | GraphQLInputObjectType)
    return dict(kind.fields)


def test_each_column_type_has_its_scalar() -> None:
    model = served(
        "m",
        *(Column(kind.value.lower(), kind, True) for kind in ColumnType if kind.value != "UNKNOWN"),
        Column("maybe", ColumnType.DOUBLE, False),
    )
    fields = _fields(graphql_core_schema(model), "MRow")

    assert {name: str(field.type) for name, field in fields.items()} == {
        "boolean": "Boolean!",
        "integer": "Int!",
        "long": "Int64!",
        "float": "Float!",
        "double": "Float!",
        "string": "String!",
        "datetime": "DateTime!",
        "maybe": "Float",
    }


def test_models_and_columns_of_equal_names_are_told_apart() -> None:
    schema = graphql_core_schema(
        served("fraud-detector", double("mean radius"), double("mean_radius"), double("1st")),
        served("fraud_detector", double("日本"), double("é")),
    )

    assert {"fraudDetector", "fraudDetector_2"} == set(_fields(schema, "Predict"))
    assert list(_fields(schema, "FraudDetectorRow_2")) == ["meanRadius", "meanRadius_2", "_1st"]
    assert list(_fields(schema, "FraudDetectorRow")) == ["column", "e"]


@pytest.mark.parametrize(
    "operation",
    # The end-to-end tests run the one that needs the typed fields of the demo models.
    [operation for operation in operations() if operation.name != "Predict"],
    ids=lambda operation: operation.name,
)
def test_each_operation_of_ours_is_valid_against_the_static_core(
    operation: OperationDocument,
) -> None:
    assert validate(graphql_core_schema(), parse(operation.text)) == []


@pytest.mark.parametrize("name", keyword.kwlist)
def test_a_column_may_be_called_like_a_word_of_python(name: str) -> None:
    schema = graphql_core_schema(served("m", double(name)), served("n", double("x")))

    assert set(_fields(schema, "Predict")) == {"m", "n"}
    assert len(_fields(schema, "MRow")) == 1


def test_a_newcomer_does_not_take_the_field_of_the_model_that_is_named_like_it() -> None:
    schema = build_schema([served("Wine", double("x")), served("wine", double("y"))]).as_str()

    assert '"""Predictions of `wine`."""\n  wine(' in schema
    assert '"""Predictions of `Wine`."""\n  wine_2(' in schema
