"""Schedules in the schema: made, changed, listed and deleted."""

from typing import Any

import pytest

from gql_platform.access.records import LOCAL, Permission, Viewer
from gql_platform.graphql.node import encode_id
from gql_platform.services import Services
from gql_platform.testing import GraphQLClient

pytestmark = pytest.mark.anyio

CREATE = """
    mutation ($input: JobScheduleCreateInput!) {
      jobScheduleCreate(input: $input) {
        __typename
        ... on JobScheduleChange {
          schedule { id kind input priority cron timeZone isEnabled createdBy lastJob { id } }
        }
        ... on UserError { code path }
      }
    }
"""
UPDATE = """
    mutation ($input: JobScheduleUpdateInput!) {
      jobScheduleUpdate(input: $input) {
        __typename
        ... on JobScheduleChange { schedule { cron timeZone isEnabled nextAt } }
        ... on UserError { code path }
      }
    }
"""
DELETE = """
    mutation ($id: ID!) {
      jobScheduleDelete(input: {id: $id}) {
        __typename
        ... on JobScheduleDeletion { deletedId }
        ... on UserError { code path }
      }
    }
"""
NIGHTLY = {
    "times": {"cron": "30 2 * * *", "timeZone": "Europe/Berlin"},
    "work": {"registryExport": {"experiments": ["Default"]}},
    "priority": 7,
}
NONE = encode_id("JobSchedule", "00000000-0000-0000-0000-000000000000")


@pytest.fixture
def client(services: Services) -> GraphQLClient:
    """A client of a server with jobs."""
    return GraphQLClient(services)


async def created(client: GraphQLClient, **changes: object) -> dict[str, Any]:
    """Make a schedule, and return the answer."""
    answer = await client.execute(CREATE, {"input": NIGHTLY | changes})
    found: dict[str, Any] = answer["data"]["jobScheduleCreate"]
    return found


async def test_a_schedule_is_made_changed_and_deleted(client: GraphQLClient) -> None:
    made = (await created(client))["schedule"]
    node_id = made.pop("id")
    assert made == {
        "kind": "registryExport",
        "input": {"experiments": ["Default"], "has_histories": False},
        "priority": 7,
        "cron": "30 2 * * *",
        "timeZone": "Europe/Berlin",
        "isEnabled": True,
        "createdBy": "local",
        "lastJob": None,
    }
    changed = await client.execute(UPDATE, {"input": {"id": node_id, "isEnabled": False}})
    assert changed["data"]["jobScheduleUpdate"] == {
        "__typename": "JobScheduleChange",
        "schedule": {
            "cron": "30 2 * * *",
            "timeZone": "Europe/Berlin",
            "isEnabled": False,
            "nextAt": None,
        },
    }
    node = await client.execute("query ($id: ID!) { node(id: $id) { id } }", {"id": node_id})
    assert node["data"] == {"node": {"id": node_id}}
    gone = await client.execute(DELETE, {"id": node_id})
    assert gone["data"]["jobScheduleDelete"] == {
        "__typename": "JobScheduleDeletion",
        "deletedId": node_id,
    }
    assert (await client.execute("{ jobSchedules { id } }"))["data"] == {"jobSchedules": []}


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"times": {"cron": "never"}}, "INVALID_CRON", ["input", "times", "cron"]),
        (
            {"times": {"cron": "0 * * * *", "timeZone": "Mars"}},
            "INVALID_TIME_ZONE",
            ["input", "times", "timeZone"],
        ),
        (
            {"work": {"registryExport": {"experiments": ["none"]}}},
            "EXPERIMENT_NOT_FOUND",
            ["input", "work", "registryExport", "experiments"],
        ),
        ({"priority": 0}, "INVALID_JOB_PRIORITY", ["input", "priority"]),
        (
            {"idempotencyKey": ""},
            "INVALID_IDEMPOTENCY_KEY",
            ["input", "idempotencyKey"],
        ),
    ],
)
async def test_what_cannot_be_scheduled_is_told(
    client: GraphQLClient, changes: dict[str, Any], code: str, path: list[str]
) -> None:
    answer = await created(client, **changes)
    assert (answer["code"], answer["path"]) == (code, path)
    assert (await client.execute("{ jobSchedules { id } }"))["data"] == {"jobSchedules": []}


@pytest.mark.parametrize(
    ("node_id", "code"),
    [(NONE, "SCHEDULE_NOT_FOUND"), (encode_id("JobSchedule", "1"), "INVALID_ID")],
)
async def test_a_schedule_that_is_none(client: GraphQLClient, node_id: str, code: str) -> None:
    for document, variables, name in (
        (UPDATE, {"input": {"id": node_id}}, "jobScheduleUpdate"),
        (DELETE, {"id": node_id}, "jobScheduleDelete"),
    ):
        answer = (await client.execute(document, variables))["data"][name]
        assert (answer["code"], answer["path"]) == (code, ["input", "id"])


async def test_changes_need_their_permission(services: Services, client: GraphQLClient) -> None:
    node_id = (await created(client))["schedule"]["id"]
    for document, variables, permission in (
        (CREATE, {"input": NIGHTLY}, Permission.EXPORT_WRITE),
        (UPDATE, {"input": {"id": node_id, "isEnabled": False}}, Permission.JOB_WRITE),
        (DELETE, {"id": node_id}, Permission.JOB_WRITE),
    ):
        viewer = Viewer("reader", LOCAL.permissions - {permission})
        answer = await GraphQLClient(services, viewer=viewer).execute(document, variables)
        assert answer["errors"][0]["extensions"]["permission"] == permission.value
    found = (await client.execute("{ jobSchedules { isEnabled } }"))["data"]["jobSchedules"]
    assert found == [{"isEnabled": True}]
