"""Events in the schema: listed, followed, resumed, and written by the mutations."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from gql_platform.access.records import ANONYMOUS, LOCAL, Permission
from gql_platform.events.records import NewEvent
from gql_platform.services import Services
from gql_platform.testing import GraphQLClient, in_memory_services
from tests.graphql.deploying import iris_loader, iris_store, tags_and_aliases

pytestmark = pytest.mark.anyio

UPDATE = """
    mutation ($input: DeploymentUpdateInput!) {
      deploymentUpdate(input: $input) {
        __typename
        ... on DeploymentChange { deployment { revision } }
        ... on UserError { code path }
      }
    }
"""
PROMOTE = """
    mutation ($input: ModelVersionPromoteInput!) {
      modelVersionPromote(input: $input) {
        __typename
        ... on DeploymentChange { deployment { revision } }
        ... on UserError { code path }
      }
    }
"""
ROLLBACK = """
    mutation ($input: DeploymentRollbackInput!) {
      deploymentRollback(input: $input) {
        __typename
        ... on DeploymentChange { deployment { revision } }
        ... on UserError { code path }
      }
    }
"""
KEY = "6d3c1a52"


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    """A server with a model to deploy."""
    services = in_memory_services(iris_store(), iris_loader())
    await services.deployments.load_all()
    yield services
    await services.close()


@pytest.fixture
def client(services: Services) -> GraphQLClient:
    """A client of it."""
    return GraphQLClient(services)


def variants(*numbers: int) -> list[dict[str, Any]]:
    """Return variants of these versions."""
    return [{"name": f"v{number}", "version": {"number": number}} for number in numbers]


async def update(client: GraphQLClient, *numbers: int, key: str | None = None) -> Any:
    """Deploy versions, and return what the mutation answers."""
    arguments = {"model": "iris_species", "variants": variants(*numbers), "idempotencyKey": key}
    return (await client.execute(UPDATE, {"input": arguments}))["data"]["deploymentUpdate"]


async def happen(services: Services, *kinds: str) -> None:
    """Write events down."""
    for kind in kinds:
        await services.events.record(NewEvent(kind, "Test", "one", "tester", {"a": [1, None]}))


class TestEvents:
    QUERY = """
        query ($first: Int, $after: String, $filter: EventFilterInput) {
          events(first: $first, after: $after, filter: $filter) {
            nodes { id sequence type subject { kind key } actor data }
            pageInfo { hasNextPage endCursor }
            totalCount
          }
        }
    """

    async def test_events_are_listed_in_pages(
        self, client: GraphQLClient, services: Services
    ) -> None:
        """The oldest comes first, with all that is known of it."""
        await happen(services, "a.b", "c.d")
        first = (await client.execute(self.QUERY, {"first": 1}))["data"]["events"]
        (event,) = first["nodes"]
        del event["id"]
        assert event == {
            "sequence": 1,
            "type": "a.b",
            "subject": {"kind": "Test", "key": "one"},
            "actor": "tester",
            "data": {"a": [1, None]},
        }
        assert first["totalCount"] is None
        after = first["pageInfo"]["endCursor"]
        rest = (await client.execute(self.QUERY, {"after": after}))["data"]["events"]
        assert [each["sequence"] for each in rest["nodes"]] == [2]
        assert rest["pageInfo"]["hasNextPage"] is False

    async def test_filter_chooses(self, client: GraphQLClient, services: Services) -> None:
        """The filter that the list takes is the one that the subscription takes."""
        await happen(services, "a.b", "c.d")
        chosen = {"filter": {"types": ["c.*"], "subjectKind": "Test", "subjectKey": "one"}}
        found = (await client.execute(self.QUERY, chosen))["data"]["events"]["nodes"]
        assert [each["sequence"] for each in found] == [2]

    async def test_wrong_filter_is_the_callers_error(self, client: GraphQLClient) -> None:
        """It is named, with what was expected."""
        answer = await client.execute(self.QUERY, {"filter": {"types": ["No Type"]}})
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["INVALID_EVENT_FILTER"]

    async def test_event_is_a_node(self, client: GraphQLClient, services: Services) -> None:
        """It is fetched again by its id, and null when there is none."""
        await happen(services, "a.b")
        (listed,) = (await client.execute(self.QUERY))["data"]["events"]["nodes"]
        document = "query ($id: ID!) { node(id: $id) { id ... on Event { sequence } } }"
        found = (await client.execute(document, {"id": listed["id"]}))["data"]["node"]
        assert found == {"id": listed["id"], "sequence": 1}

    async def test_events_are_for_those_who_may_read_them(self, services: Services) -> None:
        """Neither the list, nor the subscription, nor a node shows them to others."""
        await happen(services, "a.b")
        (event,) = (await services.events.page(first=1)).items
        viewer = replace(LOCAL, permissions=LOCAL.permissions - {Permission.EVENT_READ})
        client = GraphQLClient(services, viewer=viewer)
        listed = (await GraphQLClient(services).execute(self.QUERY))["data"]["events"]["nodes"]
        assert listed[0]["sequence"] == event.sequence
        node = f'{{ node(id: "{listed[0]["id"]}") {{ id }} }}'
        answers = [
            await client.execute(self.QUERY),
            await client.execute(node),
            await anext(client.subscribe("subscription { eventAppended { lagged } }")),
            await GraphQLClient(services, viewer=ANONYMOUS).execute(self.QUERY),
        ]
        codes = [answer["errors"][0]["extensions"]["code"] for answer in answers]
        assert codes == ["FORBIDDEN"] * 3 + ["UNAUTHENTICATED"]


class TestEventAppended:
    SUBSCRIPTION = """
        subscription ($after: Int64, $filter: EventFilterInput) {
          eventAppended(afterSequence: $after, filter: $filter) {
            event { sequence } lagged skippedCount
          }
        }
    """

    async def test_it_resumes_behind_a_sequence(
        self, client: GraphQLClient, services: Services
    ) -> None:
        """What happened since comes first, then what happens."""
        await happen(services, "a.b", "c.d", "a.b", "a.b")
        chosen = {"after": 1, "filter": {"types": ["a.b"]}}
        found = client.subscribe(self.SUBSCRIPTION, chosen)
        first, second = [await anext(found) for _ in range(2)]
        await happen(services, "c.d", "a.b")
        third = await anext(found)
        assert [each["data"]["eventAppended"] for each in (first, second, third)] == [
            {"event": {"sequence": sequence}, "lagged": False, "skippedCount": 0}
            for sequence in (3, 4, 6)
        ]

    async def test_unknown_sequence_is_refused(self, client: GraphQLClient) -> None:
        """A sequence that no event has had is told with the newest that there is."""
        (error,) = (await anext(client.subscribe(self.SUBSCRIPTION, {"after": 7})))["errors"]
        assert error["extensions"]["code"] == "INVALID_SEQUENCE"
        assert error["extensions"]["newest"] == 0


class TestDeploymentEvents:
    SUBSCRIPTION = """
        subscription ($after: Int64) {
          deploymentChanged(afterSequence: $after) {
            sequence event { actor data subject { key } } deployment { revision }
          }
        }
    """

    async def test_each_change_is_an_event(self, client: GraphQLClient, services: Services) -> None:
        """What was changed, by whom and how is written down once, in order."""
        await update(client, 1, 2)
        promoted = {"model": "iris_species", "version": 2, "alias": "spare"}
        await client.execute(PROMOTE, {"input": promoted})
        await client.execute(ROLLBACK, {"input": {"model": "iris_species"}})
        events = (await services.events.page(first=9)).items
        assert [(each.type, each.actor, each.subject_id) for each in events] == [
            ("deployment.changed", "local", "iris_species")
        ] * 3
        assert [each.data for each in events] == [
            {"action": "UPDATE", "revision": 1},
            {"action": "PROMOTE", "version": 2, "alias": "spare", "revision": 1},
            {"action": "ROLLBACK", "revision": 2},
        ]

    async def test_refused_change_is_no_event(
        self, client: GraphQLClient, services: Services
    ) -> None:
        """What did not happen is not told."""
        assert (await update(client, 9))["code"] == "UNKNOWN_VERSION"
        assert (await services.events.page(first=9)).items == ()

    async def test_missed_changes_come_again(self, client: GraphQLClient) -> None:
        """A follower that names its last sequence gets each change since, once."""
        await update(client, 1)
        await update(client, 2)
        await update(client, 1, 2)
        found = client.subscribe(self.SUBSCRIPTION, {"after": 1})
        told = [(await anext(found))["data"]["deploymentChanged"] for _ in range(3)]
        changes = [each for each in told if each["event"] is not None]
        assert [each["sequence"] for each in changes] == [2, 3]
        assert [each["event"]["data"]["revision"] for each in changes] == [2, 3]
        assert {each["deployment"]["revision"] for each in told} == {3}

    async def test_absent_database_refuses_the_change(
        self, client: GraphQLClient, services: Services
    ) -> None:
        """What cannot be written down is not begun, and the error can be retried."""
        services.store.is_away = True  # type: ignore[attr-defined]
        arguments = {"model": "iris_species", "variants": variants(2)}
        answer = await client.execute(UPDATE, {"input": arguments})
        assert answer["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
        (deployment,) = services.serving.deployments()
        assert deployment.revision == 0


class TestIdempotencyKey:
    async def test_hundred_calls_change_once(self) -> None:
        """The same request a hundred times at once makes one revision and one event."""
        services = in_memory_services(iris_store(), iris_loader())
        await services.deployments.load_all()
        client = GraphQLClient(services)
        answers = await asyncio.gather(*(update(client, 2, key=KEY) for _ in range(100)))
        assert answers == [{"__typename": "DeploymentChange", "deployment": {"revision": 1}}] * 100
        assert len((await services.events.page(first=9)).items) == 1
        await services.close()

    async def test_key_of_another_change_is_refused(self) -> None:
        """The answer names the argument, and nothing is changed."""
        store = iris_store()
        services = in_memory_services(store, iris_loader())
        await services.deployments.load_all()
        client = GraphQLClient(services)
        await update(client, 2, key=KEY)
        before = tags_and_aliases(store)
        assert await update(client, 1, key=KEY) == {
            "__typename": "IdempotencyKeyReusedError",
            "code": "IDEMPOTENCY_KEY_REUSED",
            "path": ["input", "idempotencyKey"],
        }
        assert tags_and_aliases(store) == before
        await services.close()

    @pytest.mark.parametrize(
        ("document", "arguments"),
        [
            (PROMOTE, {"model": "iris_species", "version": 2}),
            (ROLLBACK, {"model": "iris_species"}),
        ],
    )
    async def test_other_mutations_take_it_too(
        self, client: GraphQLClient, services: Services, document: str, arguments: dict[str, Any]
    ) -> None:
        """Sent again, a promotion or a roll-back is answered as before and not made again."""
        await update(client, 1)
        await update(client, 2)
        keyed = {"input": {**arguments, "idempotencyKey": KEY}}
        first, second = [(await client.execute(document, keyed))["data"] for _ in range(2)]
        assert first == second
        assert len((await services.events.page(first=9)).items) == 3

    async def test_change_that_was_half_written_is_not_made_again(
        self, client: GraphQLClient, services: Services
    ) -> None:
        """A server that died between the registry and the database is succeeded without harm."""
        request = f"local:deployment.update:{KEY}"
        await services.deployments.update(
            "iris_species",
            routing=services.serving.deployments()[0].routing,
            variants=[each.variant for each in services.serving.deployments()[0].variants],
            request=request,
        )
        champion = {"name": "champion", "version": {"alias": "champion"}}
        arguments = {"model": "iris_species", "variants": [champion], "idempotencyKey": KEY}
        answer = await client.execute(UPDATE, {"input": arguments})
        assert answer["data"]["deploymentUpdate"]["deployment"] == {"revision": 1}
        assert len((await services.events.page(first=9)).items) == 1

    async def test_what_cannot_be_a_key_is_refused(self, client: GraphQLClient) -> None:
        """A key with a blank is no key."""
        assert (await update(client, 1, key="a b"))["code"] == "INVALID_IDEMPOTENCY_KEY"
