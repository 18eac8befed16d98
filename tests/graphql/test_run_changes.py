"""Experiments and runs are written through the API."""

from dataclasses import replace
from typing import Any

import pytest

from gql_platform.access.records import ANONYMOUS, LOCAL, Permission
from gql_platform.graphql.node import encode_id
from gql_platform.services import Services
from gql_platform.testing import GraphQLClient

pytestmark = pytest.mark.anyio

CREATE = """
    mutation ($input: RunCreateInput!) {
      runCreate(input: $input) {
        __typename
        ... on RunChange {
          run { id runId name state isDeleted tags { key value } timing { startedAt } }
        }
        ... on UserError { message code path }
        ... on InvalidRunError { problem }
        ... on ExperimentNotFoundError { named }
      }
    }
"""
LOG = """
    mutation ($input: RunLogInput!) {
      runLog(input: $input) {
        __typename
        ... on RunLogged {
          paramCount metricCount tagCount
          refused { kind index key code message }
          run {
            params { key value } tags { key value }
            metrics { key value exactValue step }
            metricHistory(key: "loss") { steps values }
          }
        }
        ... on UserError { message code path }
      }
    }
"""
FINISH = """
    mutation ($input: RunFinishInput!) {
      runFinish(input: $input) {
        ... on RunChange { run { state timing { finishedAt durationMs } } }
        ... on UserError { code path }
        ... on RunFinishedError { runId state }
      }
    }
"""
DELETE_AND_RESTORE = """
    mutation {
      gone: runDelete(input: {run: {runId: "run-iris"}}) {
        ... on RunChange { run { isDeleted } }
      }
      log: runLog(input: {run: {runId: "run-iris"}, tags: [{key: "a", value: "b"}]}) {
        ... on UserError { code path }
      }
      finish: runFinish(input: {run: {runId: "run-iris"}}) { ... on UserError { code path } }
      back: runRestore(input: {run: {runId: "run-iris"}}) {
        ... on RunChange { run { isDeleted } }
      }
    }
"""
EVENTS = "{ events(first: 10) { nodes { type actor data subject { kind key } } } }"


async def new_run(client: GraphQLClient, **given: Any) -> dict[str, Any]:
    """Make a run, and return what is answered of it."""
    variables = {"input": {"experiment": {"name": "Default"}, **given}}
    answer = await client.execute(CREATE, variables)
    run: dict[str, Any] = answer["data"]["runCreate"]["run"]
    return run


class TestExperimentCreate:
    MUTATION = """
        mutation ($name: String!, $key: String) {
          experimentCreate(input: {
            name: $name, tags: [{key: "team", value: "a"}], idempotencyKey: $key
          }) {
            ... on ExperimentChange { experiment { id experimentId name tags { key value } } }
            ... on UserError { code path }
            ... on ExperimentExistsError { name }
            ... on InvalidExperimentError { name problem }
          }
        }
    """

    async def test_it_is_there(self, client: GraphQLClient) -> None:
        answer = await client.execute(self.MUTATION, {"name": "new"})

        assert answer == {
            "data": {
                "experimentCreate": {
                    "experiment": {
                        "id": encode_id("Experiment", "1"),
                        "experimentId": "1",
                        "name": "new",
                        "tags": [{"key": "team", "value": "a"}],
                    }
                }
            }
        }

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("Default", {"code": "EXPERIMENT_EXISTS", "path": ["input", "name"]}),
            ("", {"code": "INVALID_EXPERIMENT", "path": ["input"], "problem": "its name is empty"}),
        ],
    )
    async def test_what_cannot_be_made_is_answered(
        self, client: GraphQLClient, name: str, expected: dict[str, Any]
    ) -> None:
        answer = await client.execute(self.MUTATION, {"name": name})

        assert answer == {"data": {"experimentCreate": {"name": name, **expected}}}

    async def test_key_is_the_change_s_own(self, client: GraphQLClient) -> None:
        first = await client.execute(self.MUTATION, {"name": "new", "key": "k"})
        again = await client.execute(self.MUTATION, {"name": "new", "key": "k"})
        other = await client.execute(self.MUTATION, {"name": "other", "key": "k"})

        assert first == again
        assert other["data"]["experimentCreate"] == {
            "code": "IDEMPOTENCY_KEY_REUSED",
            "path": ["input", "idempotencyKey"],
        }


class TestRunCreate:
    async def test_it_is_at_work(self, client: GraphQLClient) -> None:
        run = await new_run(
            client,
            name="first",
            startedAt="2026-01-31T12:00:00Z",
            tags=[{"key": "team", "value": "a"}],
        )

        assert run == {
            "id": encode_id("Run", run["runId"]),
            "runId": run["runId"],
            "name": "first",
            "state": "RUNNING",
            "isDeleted": False,
            "tags": [
                {"key": "mlflow.runName", "value": "first"},
                {"key": "mlflow.user", "value": "local"},
                {"key": "team", "value": "a"},
            ],
            "timing": {"startedAt": "2026-01-31T12:00:00Z"},
        }

    async def test_experiment_may_be_named_by_its_id(self, client: GraphQLClient) -> None:
        run = await new_run(client, experiment={"id": encode_id("Experiment", "0")})

        assert run["state"] == "RUNNING"

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (
                {"experiment": {"name": "none"}},
                {
                    "__typename": "ExperimentNotFoundError",
                    "message": "There is no experiment 'none'; `experiments` lists those that "
                    "there are.",
                    "code": "EXPERIMENT_NOT_FOUND",
                    "path": ["input", "experiment"],
                    "named": "none",
                },
            ),
            (
                {"experiment": {"id": encode_id("Run", "run-iris")}},
                {
                    "__typename": "InvalidIDError",
                    "message": f"The id {encode_id('Run', 'run-iris')!r} is not one of ours; pass "
                    "an `id` exactly as a query returned it.",
                    "code": "INVALID_ID",
                    "path": ["input", "experiment", "id"],
                },
            ),
            (
                {"experiment": {"name": "Default"}, "name": " "},
                {
                    "__typename": "InvalidRunError",
                    "message": "The run cannot be written like that: its name is empty.",
                    "code": "INVALID_RUN",
                    "path": ["input"],
                    "problem": "its name is empty",
                },
            ),
        ],
    )
    async def test_what_cannot_be_made_is_answered(
        self, client: GraphQLClient, given: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        answer = await client.execute(CREATE, {"input": given})

        assert answer == {"data": {"runCreate": expected}}


class TestRunLog:
    async def test_items_are_logged_and_read_back(self, client: GraphQLClient) -> None:
        """NaN and the infinities are told apart where they are written exactly."""
        run = await new_run(client)
        metrics = [
            {"key": "loss", "value": value, "step": step}
            for step, value in ((0, 0.5), (-5, 2), (1, "NaN"), (2**40, "-Infinity"))
        ]
        given = {
            "run": {"id": run["id"]},
            "params": [{"key": "C", "value": "1"}],
            "metrics": metrics,
            "tags": [{"key": "team", "value": "a"}],
        }
        answer = await client.execute(LOG, {"input": given})

        logged = answer["data"]["runLog"]
        assert (logged["paramCount"], logged["metricCount"], logged["tagCount"]) == (1, 4, 1)
        assert logged["refused"] == []
        assert logged["run"]["params"] == [{"key": "C", "value": "1"}]
        assert {"key": "team", "value": "a"} in logged["run"]["tags"]
        assert logged["run"]["metrics"] == [
            {"key": "loss", "value": None, "exactValue": "-Infinity", "step": 2**40}
        ]
        assert logged["run"]["metricHistory"] == {
            "steps": [-5, 0, 1, 2**40],
            "values": [2.0, 0.5, None, None],
        }

    async def test_refused_items_are_told_and_the_others_logged(
        self, client: GraphQLClient
    ) -> None:
        given = {
            "run": {"runId": "run-iris"},
            "params": [{"key": "C", "value": "2"}, {"key": "depth", "value": "3"}],
            "metrics": [
                {"key": "loss", "value": "high"},
                {"key": "loss", "value": 1},
                {"key": "x" * 251, "value": 1},
            ],
            "tags": [{"key": "gql_platform.x", "value": ""}, {"key": "ok", "value": ""}],
        }
        logged = (await client.execute(LOG, {"input": given}))["data"]["runLog"]

        assert [
            (each["kind"], each["index"], each["key"], each["code"]) for each in logged["refused"]
        ] == [
            ("PARAM", 0, "C", "PARAM_CHANGED"),
            ("METRIC", 0, "loss", "INVALID_VALUE"),
            ("METRIC", 2, "x" * 251, "KEY_TOO_LONG"),
            ("TAG", 0, "gql_platform.x", "RESERVED_KEY"),
        ]
        assert (logged["paramCount"], logged["metricCount"], logged["tagCount"]) == (1, 1, 1)
        assert logged["run"]["metricHistory"] == {"steps": [0], "values": [1.0]}

    async def test_values_may_stand_in_the_document(self, client: GraphQLClient) -> None:
        answer = await client.execute("""
            mutation { runLog(input: {run: {runId: "run-iris"}, metrics: [
              {key: "a", value: 1}, {key: "a", value: 2.5, step: 1},
              {key: "a", value: "Infinity", step: 2}
            ]}) { ... on RunLogged { run { metrics { key exactValue } } } }
            }
        """)

        metrics = answer["data"]["runLog"]["run"]["metrics"]
        assert {"key": "a", "exactValue": "Infinity"} in metrics
        assert {"key": "accuracy", "exactValue": 0.973} in metrics

    @pytest.mark.parametrize("value", [True, None, [1.0], {"value": 1.0}])
    async def test_what_is_neither_number_nor_text_is_refused_whole(
        self, client: GraphQLClient, value: Any
    ) -> None:
        given = {"run": {"runId": "run-iris"}, "metrics": [{"key": "loss", "value": value}]}
        answer = await client.execute(LOG, {"input": given})

        assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_USER_INPUT"]

    async def test_changes_of_one_document_see_each_other(self, client: GraphQLClient) -> None:
        """What one mutation read is not what the next one answers."""
        field = """runLog(input: {run: {runId: "run-iris"}, tags: [{key: "a", value: "%s"}]}) {
            ... on RunLogged { run { tags { key value } } }
        }"""
        answer = await client.execute(f"mutation {{ one: {field % 1} two: {field % 2} }}")

        assert [answer["data"][name]["run"]["tags"] for name in ("one", "two")] == [
            [{"key": "a", "value": "1"}],
            [{"key": "a", "value": "2"}],
        ]

    async def test_unknown_run_is_answered(self, client: GraphQLClient) -> None:
        answer = await client.execute(LOG, {"input": {"run": {"runId": "none"}}})

        assert answer["data"]["runLog"] == {
            "__typename": "RunNotFoundError",
            "message": "There is no run 'none'; `runs` lists those that there are.",
            "code": "RUN_NOT_FOUND",
            "path": ["input", "run"],
        }


class TestRunFinish:
    async def test_it_is_over(self, client: GraphQLClient) -> None:
        run = await new_run(client, startedAt="2026-01-31T12:00:00Z")
        given = {"run": {"id": run["id"]}, "finishedAt": "2026-01-31T12:00:01.5Z"}
        answer = await client.execute(FINISH, {"input": given})

        timing = {"finishedAt": "2026-01-31T12:00:01.500000Z", "durationMs": 1500.0}
        assert answer["data"]["runFinish"] == {"run": {"state": "FINISHED", "timing": timing}}

    async def test_it_does_not_end_twice(self, client: GraphQLClient) -> None:
        given = {"run": {"runId": "run-iris"}, "state": "FAILED"}
        answer = await client.execute(FINISH, {"input": given})

        assert answer["data"]["runFinish"] == {
            "code": "RUN_FINISHED",
            "path": ["input", "state"],
            "runId": "run-iris",
            "state": "FINISHED",
        }


class TestRunDeleteAndRestore:
    async def test_deleted_run_is_not_written_to_until_it_is_restored(
        self, client: GraphQLClient
    ) -> None:
        answer = await client.execute(DELETE_AND_RESTORE)

        deleted = {"code": "RUN_DELETED", "path": ["input", "run"]}
        assert answer["data"] == {
            "gone": {"run": {"isDeleted": True}},
            "log": deleted,
            "finish": deleted,
            "back": {"run": {"isDeleted": False}},
        }

    async def test_events_tell_who_did_what(self, client: GraphQLClient) -> None:
        await client.execute(DELETE_AND_RESTORE)
        events = (await client.execute(EVENTS))["data"]["events"]["nodes"]

        subject = {"kind": "Run", "key": "run-iris"}
        assert events == [
            {"type": kind, "actor": "local", "data": {}, "subject": subject}
            for kind in ("run.deleted", "run.restored")
        ]


MUTATIONS = {
    'experimentCreate(input: {name: "new"})': "ExperimentChange",
    'runCreate(input: {experiment: {name: "Default"}})': "RunChange",
    'runLog(input: {run: {runId: "run-iris"}})': "RunLogged",
    'runFinish(input: {run: {runId: "run-iris"}})': "RunChange",
    'runDelete(input: {run: {runId: "run-iris"}})': "RunChange",
    'runRestore(input: {run: {runId: "run-iris"}})': "RunChange",
}


@pytest.mark.parametrize("field", MUTATIONS)
async def test_each_needs_the_permission_and_no_other(services: Services, field: str) -> None:
    document = f"mutation {{ field: {field} {{ __typename }} }}"
    calls = dict(services.tracking._store.calls)  # type: ignore[attr-defined]
    others = replace(LOCAL, permissions=LOCAL.permissions - {Permission.RUN_WRITE})
    for viewer, code in ((others, "FORBIDDEN"), (ANONYMOUS, "UNAUTHENTICATED")):
        answer = await GraphQLClient(services, viewer=viewer).execute(document)
        assert [each["extensions"]["code"] for each in answer["errors"]] == [code]
    assert services.tracking._store.calls == calls  # type: ignore[attr-defined]

    only = replace(LOCAL, permissions=frozenset({Permission.RUN_WRITE}))
    answer = await GraphQLClient(services, viewer=only).execute(document)
    assert answer == {"data": {"field": {"__typename": MUTATIONS[field]}}}
