"""Jobs in the schema: asked for, followed, cancelled, repeated, and what they made."""

import asyncio
from typing import Any

import pytest

from gql_platform.access.records import LOCAL, Permission, Viewer
from gql_platform.downloads.records import OpenFile
from gql_platform.exports.records import REGISTRY_EXPORT
from gql_platform.graphql.node import encode_id
from gql_platform.jobs.records import JobKind, Note, Progress, Running, Values
from gql_platform.services import Services
from gql_platform.testing import (
    GraphQLClient,
    InMemoryDatabase,
    InMemoryJobEngine,
    in_memory_services,
)

pytestmark = pytest.mark.anyio

EXPORT = """
    mutation ($input: RegistryExportInput!) {
      registryExport(input: $input) {
        __typename
        ... on JobChange { job { id kind state input createdBy priority } }
        ... on UserError { code path }
      }
    }
"""
JOB = """
    query ($id: ID!) {
      job(id: $id) {
        state failures error
        progress { fraction message numbers }
        result
        files { name sizeBytes download { url } }
        log(first: 2) { nodes { number level message } pageInfo { hasNextPage } }
        retryOf { id }
      }
    }
"""
CANCEL = """
    mutation ($id: ID!, $key: String) {
      jobCancel(input: {id: $id, idempotencyKey: $key}) {
        __typename
        ... on JobChange { job { state } }
        ... on UserError { message code path }
      }
    }
"""
RETRY = """
    mutation ($id: ID!) {
      jobRetry(input: {id: $id}) {
        __typename
        ... on JobChange { job { id state retryOf { id } } }
        ... on UserError { code path }
      }
    }
"""
UPDATED = "subscription ($id: ID!) { jobUpdated(id: $id) { state } }"


def succeed(_: str, given: Values) -> Running:
    """Count the experiments that are asked for."""
    count = len(given["experiments"])
    yield Progress(0.5, "counting", {"experiments": count})
    for number in range(3):
        yield Note(f"note {number}")
    return {"files": [{"name": "registry.zip", "size_bytes": 7}], "count": count}


def fail(_: str, __: Values) -> Running:
    """Fail."""
    yield Progress(message="failing")
    raise ValueError("no luck")


class Files:
    """Files that are not there."""

    async def open(self, key: str) -> OpenFile:
        """Tell what was asked for."""
        raise AssertionError(key)


@pytest.fixture
def services() -> Services:
    """A server whose jobs have files."""
    return in_memory_services(sources={"job": Files()})


@pytest.fixture
def client(services: Services) -> GraphQLClient:
    """A client of it."""
    return GraphQLClient(services)


async def work(services: Services, work_of_all: Any) -> None:
    """Do all jobs that wait."""
    assert isinstance(services.store, InMemoryDatabase)
    kind = JobKind(REGISTRY_EXPORT, work_of_all, max_attempts=1)
    await InMemoryJobEngine(services.store).work({REGISTRY_EXPORT: kind})


async def asked_for(client: GraphQLClient, **given: object) -> dict[str, Any]:
    """Ask for an export, and return the answer."""
    answer = await client.execute(EXPORT, {"input": given})
    found: dict[str, Any] = answer["data"]["registryExport"]
    return found


async def job_id(client: GraphQLClient) -> str:
    """Ask for an export, and return its job's id."""
    return str((await asked_for(client))["job"]["id"])


async def test_an_export_is_a_job_that_waits(client: GraphQLClient) -> None:
    answer = await asked_for(client, experiments=["Default"], metricHistories=True, priority=7)
    assert answer["__typename"] == "JobChange"
    del answer["job"]["id"]
    assert answer["job"] == {
        "kind": "registryExport",
        "state": "QUEUED",
        "input": {"experiments": ["Default"], "has_histories": True},
        "createdBy": "local",
        "priority": 7,
    }


async def test_a_key_asks_once(client: GraphQLClient) -> None:
    first = await asked_for(client, idempotencyKey="k")
    assert await asked_for(client, idempotencyKey="k") == first
    other = await asked_for(client, idempotencyKey="k", priority=1)
    assert (other["code"], other["path"]) == (
        "IDEMPOTENCY_KEY_REUSED",
        ["input", "idempotencyKey"],
    )


async def test_a_priority_that_is_none_is_refused(client: GraphQLClient) -> None:
    answer = await asked_for(client, priority=0)
    assert (answer["code"], answer["path"]) == ("INVALID_JOB_PRIORITY", ["input", "priority"])
    assert (await client.execute("{ jobs { nodes { id } } }"))["data"] == {"jobs": {"nodes": []}}


async def test_an_experiment_that_is_none_is_refused(client: GraphQLClient) -> None:
    answer = await asked_for(client, experiments=["Default", "none"])
    assert (answer["code"], answer["path"]) == ("EXPERIMENT_NOT_FOUND", ["input", "experiments"])


async def test_a_job_that_is_done_tells_all(client: GraphQLClient, services: Services) -> None:
    node_id = str((await asked_for(client, experiments=["Default"]))["job"]["id"])
    await work(services, succeed)
    found = (await client.execute(JOB, {"id": node_id}))["data"]["job"]
    (file,) = found.pop("files")
    url = file["download"]["url"]
    assert (file["name"], file["sizeBytes"]) == ("registry.zip", 7)
    with pytest.raises(AssertionError, match=r"/registry\.zip$"):
        await services.downloads.open(url.removeprefix("/downloads/"))
    assert found == {
        "state": "SUCCEEDED",
        "failures": 0,
        "error": None,
        "progress": {"fraction": 0.5, "message": "counting", "numbers": {"experiments": 1}},
        "result": {"files": [{"name": "registry.zip", "size_bytes": 7}], "count": 1},
        "log": {
            "nodes": [
                {"number": 1, "level": "INFO", "message": "note 0"},
                {"number": 2, "level": "INFO", "message": "note 1"},
            ],
            "pageInfo": {"hasNextPage": True},
        },
        "retryOf": None,
    }


async def test_a_job_that_failed_is_repeated_by_another(
    client: GraphQLClient, services: Services
) -> None:
    node_id = await job_id(client)
    early = (await client.execute(RETRY, {"id": node_id}))["data"]["jobRetry"]
    assert (early["code"], early["path"]) == ("JOB_UNFINISHED", ["input", "id"])
    await work(services, fail)
    failed = (await client.execute(JOB, {"id": node_id}))["data"]["job"]
    assert (failed["state"], failed["error"]) == ("FAILED", "ValueError: no luck")
    again = (await client.execute(RETRY, {"id": node_id}))["data"]["jobRetry"]["job"]
    assert (again["state"], again["retryOf"]) == ("QUEUED", {"id": node_id})
    assert again["id"] != node_id


async def test_a_job_is_cancelled_once(client: GraphQLClient) -> None:
    node_id = await job_id(client)
    cancelled = {"__typename": "JobChange", "job": {"state": "CANCELLED"}}
    variables = {"id": node_id, "key": "k"}
    assert (await client.execute(CANCEL, variables))["data"] == {"jobCancel": cancelled}
    assert (await client.execute(CANCEL, variables))["data"] == {"jobCancel": cancelled}
    late = (await client.execute(CANCEL, {"id": node_id}))["data"]["jobCancel"]
    assert (late["__typename"], late["path"]) == ("JobFinishedError", ["input", "id"])


@pytest.mark.parametrize(
    ("node_id", "code"),
    [
        (encode_id("Job", "0" * 32), "JOB_NOT_FOUND"),
        (encode_id("Job", "none"), "INVALID_ID"),
        (encode_id("Model", "wine"), "INVALID_ID"),
        ("?", "INVALID_ID"),
    ],
)
async def test_an_id_of_no_job_is_refused(client: GraphQLClient, node_id: str, code: str) -> None:
    for document, name in ((CANCEL, "jobCancel"), (RETRY, "jobRetry")):
        answer = (await client.execute(document, {"id": node_id}))["data"][name]
        assert (answer["code"], answer["path"]) == (code, ["input", "id"])
    (event,) = [each async for each in client.subscribe(UPDATED, {"id": node_id})]
    assert event["errors"][0]["extensions"]["code"] == code


async def test_jobs_are_filtered(client: GraphQLClient) -> None:
    first, second = await job_id(client), await job_id(client)
    await client.execute(CANCEL, {"id": first})
    query = "query ($filter: JobFilterInput) { jobs(filter: $filter) { nodes { id } } }"
    for given, ids in (
        (None, [second, first]),
        ({"states": ["CANCELLED"]}, [first]),
        ({"kinds": ["registryExport"], "states": ["QUEUED"]}, [second]),
        ({"kinds": ["other"]}, []),
    ):
        answer = await client.execute(query, {"filter": given})
        assert [each["id"] for each in answer["data"]["jobs"]["nodes"]] == ids


async def test_a_job_is_followed_to_its_end(client: GraphQLClient, services: Services) -> None:
    node_id = await job_id(client)
    events = client.subscribe(UPDATED, {"id": node_id})
    assert await anext(events) == {"data": {"jobUpdated": {"state": "QUEUED"}}}

    async def rest() -> list[dict[str, Any]]:
        return [each async for each in events]

    following = asyncio.create_task(rest())
    await work(services, succeed)
    assert (await asyncio.wait_for(following, timeout=10))[-1] == {
        "data": {"jobUpdated": {"state": "SUCCEEDED"}}
    }


async def test_a_job_is_a_node(client: GraphQLClient) -> None:
    node_id = await job_id(client)
    answer = await client.execute(
        "query ($id: ID!) { node(id: $id) { __typename id } }", {"id": node_id}
    )
    assert answer["data"] == {"node": {"__typename": "Job", "id": node_id}}


@pytest.mark.parametrize(
    ("document", "permission"),
    [
        (EXPORT, Permission.EXPORT_WRITE),
        (CANCEL, Permission.JOB_WRITE),
        (RETRY, Permission.JOB_WRITE),
    ],
)
async def test_changes_need_their_permission(
    services: Services, client: GraphQLClient, document: str, permission: Permission
) -> None:
    node_id = await job_id(client)
    viewer = Viewer("reader", LOCAL.permissions - {permission})
    variables: dict[str, Any] = {"input": {}} if document is EXPORT else {"id": node_id}
    answer = await GraphQLClient(services, viewer=viewer).execute(document, variables)
    assert answer["errors"][0]["extensions"]["permission"] == permission.value
    states = (await client.execute("{ jobs { nodes { state } } }"))["data"]["jobs"]["nodes"]
    assert states == [{"state": "QUEUED"}]


async def test_experiments_are_named_once_and_not_too_many(services: Services) -> None:
    """Twice named is named once; more than may be are refused before any is looked for."""
    client = GraphQLClient(services)
    twice = {"input": {"experiments": ["Default", "Default"]}}
    made = (await client.execute(EXPORT, twice))["data"]["registryExport"]
    assert made["job"]["input"] == {"experiments": ["Default"], "has_histories": False}
    many = {"input": {"experiments": [str(number) for number in range(101)]}}
    assert (await client.execute(EXPORT, many))["data"]["registryExport"] == {
        "__typename": "TooManyExperimentsError",
        "code": "TOO_MANY_EXPERIMENTS",
        "path": ["input", "experiments"],
    }
