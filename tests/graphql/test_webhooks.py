"""Webhooks over GraphQL: made, changed, looked at, and sent to."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from gql_platform.access.records import LOCAL, Permission
from gql_platform.events.records import NewEvent
from gql_platform.graphql.node import encode_id
from gql_platform.services import Services
from gql_platform.testing import GraphQLClient, in_memory_services

pytestmark = pytest.mark.anyio

URL = "https://receiver.example/in"
SECRET = "whsec_" + "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
ABSENT = "00000000-0000-4000-8000-000000000000"

FIELDS = """
    fragment Fields on Webhook {
      url description filter { types subjectKind subjectKey }
      isEnabled disabledBecause pausedUntil previousSecretUntil createdBy
    }
"""
ERROR = "... on UserError { code path }"

CREATE = f"""
    mutation ($input: WebhookCreateInput!) {{
      webhookCreate(input: $input) {{
        __typename
        ... on WebhookCredentials {{ secret webhook {{ id ...Fields }} }}
        {ERROR}
      }}
    }}
    {FIELDS}
"""
UPDATE = f"""
    mutation ($input: WebhookUpdateInput!) {{
      webhookUpdate(input: $input) {{
        __typename
        ... on WebhookChange {{ webhook {{ ...Fields }} }}
        {ERROR}
      }}
    }}
    {FIELDS}
"""
ROTATE = f"""
    mutation ($input: WebhookSecretRotateInput!) {{
      webhookSecretRotate(input: $input) {{
        __typename
        ... on WebhookCredentials {{ secret webhook {{ id previousSecretUntil }} }}
        {ERROR}
      }}
    }}
"""
DELETE = f"""
    mutation ($input: WebhookDeleteInput!) {{
      webhookDelete(input: $input) {{ __typename ... on WebhookDeletion {{ id }} {ERROR} }}
    }}
"""
TEST = f"""
    mutation ($input: WebhookTestInput!) {{
      webhookTest(input: $input) {{
        __typename
        ... on WebhookDispatch {{ delivery {{ id messageId state event {{ type }} }} }}
        {ERROR}
      }}
    }}
"""
REDELIVER = f"""
    mutation ($input: WebhookRedeliverInput!) {{
      webhookRedeliver(input: $input) {{
        __typename
        ... on WebhookDispatch {{ delivery {{ id state attempts }} }}
        {ERROR}
      }}
    }}
"""
DELIVERIES = """
    query ($webhook: ID!, $state: DeliveryState, $first: Int, $after: String) {
      webhookDeliveries(webhook: $webhook, state: $state, first: $first, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { event { type } state }
      }
    }
"""


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    """A server without models."""
    services = in_memory_services()
    yield services
    await services.close()


@pytest.fixture
def client(services: Services) -> GraphQLClient:
    """A client of it."""
    return GraphQLClient(services)


async def ask(client: GraphQLClient, document: str, **variables: object) -> Any:
    """Return the one root field of an answer without errors."""
    answer = await client.execute(document, variables)
    assert "errors" not in answer, answer
    (found,) = answer["data"].values()
    return found


async def do(client: GraphQLClient, document: str, **given: object) -> Any:
    """Return what a mutation answers to an input."""
    return await ask(client, document, input=given)


async def made(client: GraphQLClient, **given: object) -> str:
    """Return the global id of a webhook that is made."""
    answer = await do(client, CREATE, **{"url": URL, **given})
    return str(answer["webhook"]["id"])


def refused(typename: str, code: str, *path: str) -> dict[str, Any]:
    """Return the answer that is an error."""
    return {"__typename": typename, "code": code, "path": list(path)}


class TestCreation:
    async def test_secret_is_shown_once(self, client: GraphQLClient) -> None:
        """The first answer has it; the same request sent again, and queries, do not."""
        given = {"url": URL, "filter": {"types": ["deployment.*"]}, "idempotencyKey": "k"}
        first = await do(client, CREATE, **given)
        assert first["__typename"] == "WebhookCredentials"
        assert first["secret"].startswith("whsec_")
        again = await do(client, CREATE, **given)
        assert again == {**first, "secret": None}
        assert len(await ask(client, "{ webhooks { id } }")) == 1

    async def test_webhook_is_what_was_asked_for(self, client: GraphQLClient) -> None:
        """What was left out is the default."""
        answer = await do(client, CREATE, url=URL, secret=SECRET)
        identifier = answer["webhook"].pop("id")
        expected = {
            "url": URL,
            "description": "",
            "filter": {"types": [], "subjectKind": None, "subjectKey": None},
            "isEnabled": True,
            "disabledBecause": None,
            "pausedUntil": None,
            "previousSecretUntil": None,
            "createdBy": "local",
        }
        assert (answer["secret"], answer["webhook"]) == (SECRET, expected)
        one = "query ($id: ID!) { webhook(id: $id) { ...Fields } }" + FIELDS
        assert await ask(client, one, id=identifier) == expected

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (
                {"url": "https://169.254.169.254/"},
                refused("WebhookAddressError", "INVALID_WEBHOOK_ADDRESS", "input", "url"),
            ),
            (
                {"url": "http://receiver.example/"},
                refused("WebhookAddressError", "INVALID_WEBHOOK_ADDRESS", "input", "url"),
            ),
            (
                {"description": "x" * 1001},
                refused("WebhookTextError", "INVALID_WEBHOOK_TEXT", "input"),
            ),
            (
                {"filter": {"types": ["No type"]}},
                refused("EventFilterError", "INVALID_EVENT_FILTER", "input", "filter", "types"),
            ),
            (
                {"secret": "whsec_short"},
                refused("WebhookSecretError", "INVALID_WEBHOOK_SECRET", "input", "secret"),
            ),
            (
                {"idempotencyKey": ""},
                refused(
                    "InvalidIdempotencyKeyError",
                    "INVALID_IDEMPOTENCY_KEY",
                    "input",
                    "idempotencyKey",
                ),
            ),
        ],
    )
    async def test_what_cannot_be_is_a_named_error(
        self, client: GraphQLClient, given: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        """It says where in the input it is, and nothing is made."""
        assert await do(client, CREATE, **{"url": URL, **given}) == expected
        assert await ask(client, "{ webhooks { id } }") == []


class TestChanges:
    async def test_what_is_left_out_stays(self, client: GraphQLClient) -> None:
        """A change names what is to be another, and an empty filter asks for all."""
        only = {"types": ["deployment.*"], "subjectKind": "Deployment", "subjectKey": "iris"}
        webhook = await made(client, filter=only, description="first")
        changed = await do(client, UPDATE, id=webhook, description="second")
        assert (changed["webhook"]["description"], changed["webhook"]["filter"]) == ("second", only)
        changed = await do(client, UPDATE, id=webhook, filter={}, isEnabled=False)
        assert changed["webhook"]["filter"] == {
            "types": [],
            "subjectKind": None,
            "subjectKey": None,
        }
        assert (changed["webhook"]["description"], changed["webhook"]["isEnabled"]) == (
            "second",
            False,
        )

    async def test_rotated_secret_is_shown_once(self, client: GraphQLClient) -> None:
        """The old one signs too for a while, and a repeated request learns neither."""
        webhook = await made(client, secret=SECRET)
        first = await do(client, ROTATE, id=webhook, idempotencyKey="k")
        again = await do(client, ROTATE, id=webhook, idempotencyKey="k")
        assert first["secret"] not in (None, SECRET)
        assert first["webhook"]["previousSecretUntil"] is not None
        assert again == {**first, "secret": None}

    async def test_deleted_webhook_is_gone(self, client: GraphQLClient) -> None:
        """It is null by its id, and a repeated request is answered as before."""
        webhook = await made(client)
        for _ in range(2):
            answer = await do(client, DELETE, id=webhook, idempotencyKey="k")
            assert answer == {"__typename": "WebhookDeletion", "id": webhook}
        assert await ask(client, "query ($id: ID!) { webhook(id: $id) { id } }", id=webhook) is None
        assert await ask(client, DELIVERIES, webhook=webhook) is None

    async def test_repeated_request_does_not_bring_it_back(self, client: GraphQLClient) -> None:
        """The answer says that what it made is gone."""
        given = {"url": URL, "idempotencyKey": "k"}
        webhook = (await do(client, CREATE, **given))["webhook"]["id"]
        await do(client, DELETE, id=webhook)
        assert await do(client, CREATE, **given) == refused(
            "WebhookNotFoundError", "WEBHOOK_NOT_FOUND", "input", "idempotencyKey"
        )

    @pytest.mark.parametrize("document", [UPDATE, ROTATE, DELETE, TEST])
    @pytest.mark.parametrize(
        ("given", "typename", "code"),
        [
            (encode_id("Webhook", ABSENT), "WebhookNotFoundError", "WEBHOOK_NOT_FOUND"),
            (encode_id("Webhook", "\0"), "InvalidIDError", "INVALID_ID"),
            (encode_id("Model", "iris"), "InvalidIDError", "INVALID_ID"),
            ("?", "InvalidIDError", "INVALID_ID"),
        ],
    )
    async def test_id_of_none_is_a_named_error(
        self, client: GraphQLClient, document: str, given: str, typename: str, code: str
    ) -> None:
        """Each change of a webhook says so alike."""
        assert await do(client, document, id=given) == refused(typename, code, "input", "id")

    async def test_change_says_who_did_it(self, client: GraphQLClient) -> None:
        """Each is an event, which has no secret."""
        webhook = await made(client, secret=SECRET)
        await do(client, UPDATE, id=webhook, description="second")
        await do(client, ROTATE, id=webhook)
        await do(client, DELETE, id=webhook)
        events = await ask(client, "{ events { nodes { type actor subject { kind } data } } }")
        assert [each["type"] for each in events["nodes"]] == [
            "webhook.created",
            "webhook.updated",
            "webhook.updated",
            "webhook.deleted",
        ]
        assert {each["actor"] for each in events["nodes"]} == {"local"}
        assert "whsec_" not in json.dumps(events)


class TestDeliveries:
    async def test_message_on_trial_can_be_followed(self, client: GraphQLClient) -> None:
        """It is a delivery with an id of its own, which leads to its webhook."""
        webhook = await made(client, filter={"types": ["deployment.*"]})
        answer = await do(client, TEST, id=webhook)
        delivery = answer["delivery"]
        assert (delivery["state"], delivery["event"]) == ("WAITING", {"type": "webhook.tested"})
        document = """
            query ($id: ID!) {
              node(id: $id) {
                __typename id
                ... on WebhookDelivery {
                  attempts statusCode problem completedAt webhook { id }
                }
              }
            }
        """
        assert await ask(client, document, id=delivery["id"]) == {
            "__typename": "WebhookDelivery",
            "id": delivery["id"],
            "attempts": 0,
            "statusCode": None,
            "problem": None,
            "completedAt": None,
            "webhook": {"id": webhook},
        }
        assert delivery["id"] == encode_id("WebhookDelivery", delivery["messageId"])

    async def test_deliveries_come_in_pages(
        self, client: GraphQLClient, services: Services
    ) -> None:
        """The newest event comes first, and they can be chosen by their state."""
        webhook = await made(client, filter={"types": ["test.*"]})
        for kind in ("test.first", "test.second", "other", "test.third"):
            await services.events.record(NewEvent(kind, "Test", "one", "tester"))
        page = await ask(client, DELIVERIES, webhook=webhook, first=2)
        types = [each["event"]["type"] for each in page["nodes"]]
        assert (types, page["pageInfo"]["hasNextPage"]) == (["test.third", "test.second"], True)
        after = page["pageInfo"]["endCursor"]
        page = await ask(client, DELIVERIES, webhook=webhook, first=2, after=after)
        assert page["nodes"] == [{"event": {"type": "test.first"}, "state": "WAITING"}]
        assert not page["pageInfo"]["hasNextPage"]
        assert (await ask(client, DELIVERIES, webhook=webhook, state="DEAD"))["nodes"] == []

    async def test_delivery_is_sent_once_more(self, client: GraphQLClient) -> None:
        """But not where nothing is sent, and not one that there is not."""
        webhook = await made(client)
        delivery = (await do(client, TEST, id=webhook))["delivery"]["id"]
        answer = await do(client, REDELIVER, id=delivery)
        assert answer["delivery"] == {"id": delivery, "state": "WAITING", "attempts": 0}
        absent = encode_id("WebhookDelivery", ABSENT)
        assert await do(client, REDELIVER, id=absent) == refused(
            "WebhookDeliveryNotFoundError", "WEBHOOK_DELIVERY_NOT_FOUND", "input", "id"
        )
        await do(client, UPDATE, id=webhook, isEnabled=False)
        disabled = refused("WebhookDisabledError", "WEBHOOK_DISABLED", "input", "id")
        assert await do(client, REDELIVER, id=delivery) == disabled
        assert await do(client, TEST, id=webhook) == disabled


class TestPermissions:
    @pytest.mark.parametrize("document", [CREATE, UPDATE, ROTATE, DELETE, TEST, REDELIVER])
    async def test_change_needs_its_permission(
        self, services: Services, client: GraphQLClient, document: str
    ) -> None:
        """Whoever may only read changes nothing."""
        webhook = await made(client)
        viewer = replace(LOCAL, permissions=LOCAL.permissions - {Permission.WEBHOOK_WRITE})
        given = {"url": URL} if document is CREATE else {"id": webhook}
        stranger = GraphQLClient(services, viewer=viewer)
        (error,) = (await stranger.execute(document, {"input": given}))["errors"]
        assert error["extensions"]["permission"] == "webhook:write"
        assert len(await services.webhooks.all()) == 1
        assert await services.events.newest() == 1

    async def test_node_needs_the_permission_to_read(
        self, services: Services, client: GraphQLClient
    ) -> None:
        """The way by a global id is no detour."""
        webhook = await made(client)
        delivery = (await do(client, TEST, id=webhook))["delivery"]["id"]
        viewer = replace(LOCAL, permissions=LOCAL.permissions - {Permission.WEBHOOK_READ})
        stranger = GraphQLClient(services, viewer=viewer)
        for identifier in (webhook, delivery):
            document = "query ($id: ID!) { node(id: $id) { id } }"
            answer = await stranger.execute(document, {"id": identifier})
            assert answer["errors"][0]["extensions"]["permission"] == "webhook:read"
            assert answer["data"] == {"node": None}
            assert await ask(client, document, id=identifier) == {"id": identifier}
