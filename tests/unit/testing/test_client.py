"""The client runs documents against the real schema of some services."""

import pytest

from gql_platform.access.records import ANONYMOUS
from gql_platform.graphql.schema import build_schema
from gql_platform.services import Services
from gql_platform.testing import REQUEST_ID, GraphQLClient

pytestmark = pytest.mark.anyio


class TestGraphQLClient:
    NAMES = "query ($first: Int) { models(first: $first) { nodes { name } } }"

    async def test_query_is_answered(self, services: Services) -> None:
        """A document with variables gives data, without a word of errors."""
        answer = await GraphQLClient(services).execute(self.NAMES, {"first": 1})
        assert answer == {"data": {"models": {"nodes": [{"name": "house_price"}]}}}

    async def test_loaded_models_have_typed_fields(self, services: Services) -> None:
        """The schema is that of the models which are served."""
        answer = await GraphQLClient(services).execute(
            "{ predict { housePrice(rows: {livingAreaM2: 1, numberOfRooms: 1, hasAGarden: true}) "
            "{ predictions { value } } } }"
        )
        assert answer == {
            "data": {"predict": {"housePrice": {"predictions": [{"value": 85_500.0}]}}}
        }

    async def test_viewer_can_be_another(self, services: Services) -> None:
        """Without permission there is an error, under the request id of all test answers."""
        answer = await GraphQLClient(services, viewer=ANONYMOUS).execute(self.NAMES)
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert error["extensions"]["requestId"] == REQUEST_ID

    async def test_subscription_yields_events(self, services: Services) -> None:
        """Each event is an answer of its own."""
        events = GraphQLClient(services).subscribe(
            'subscription { liveMetrics(model: "house_price") { models { requestCount } } }'
        )
        assert await anext(events) == {"data": {"liveMetrics": {"models": [{"requestCount": 0}]}}}

    async def test_bulk_numbers_are_lists(self, services: Services) -> None:
        """What goes over the wire as a list is a list in the answer, too."""
        answer = await GraphQLClient(services).execute(
            '{ modelVersion(by: {number: {model: "iris_species", version: 1}}) '
            '{ run { metricHistory(key: "accuracy") { values } } } }'
        )
        assert answer == {"data": {"modelVersion": {"run": {"metricHistory": {"values": [0.973]}}}}}

    async def test_schema_can_be_another(self, services: Services) -> None:
        """A test may bring its own schema."""
        schema = build_schema()
        assert GraphQLClient(services, schema=schema).schema is schema
