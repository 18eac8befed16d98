"""The operations that the playground begins with can be run as they are."""

import pytest

from gql_platform.access.records import ANONYMOUS, LOCAL
from gql_platform.contract import operations
from gql_platform.graphql.examples import examples
from gql_platform.graphql.schema import build_schema
from gql_platform.registry.records import Column, ColumnType, Signature
from gql_platform.serving.records import ModelState, ServedModel, Task
from gql_platform.testing import GraphQLClient, in_memory_services

pytestmark = pytest.mark.anyio

TAKEN = build_schema().type_names


def served(name: str) -> ServedModel:
    """Return a served model of one column."""
    return ServedModel(
        model=name,
        version=1,
        state=ModelState.READY,
        task=Task.REGRESSION,
        labels=(),
        reason=None,
        loaded_at=None,
        load_ms=None,
        signature=Signature((Column("x", ColumnType.DOUBLE, required=True),), ()),
    )


class TestExamples:
    def test_demo_models_have_all_of_them(self) -> None:
        """Where the demo models are served, every operation of ours can be run."""
        models = [served(name) for name in ("breast_cancer", "diabetes", "wine")]
        assert examples(models, LOCAL, taken=TAKEN) == list(operations())

    async def test_other_models_have_a_prediction_of_their_own(self) -> None:
        """Where others are served, every example answers without an error."""
        services = in_memory_services()
        await services.deployments.load_all()
        client = GraphQLClient(services)
        shown = examples(services.serving.models(), LOCAL, taken=TAKEN)
        assert [each.name for each in shown] == [
            "Models",
            "LiveMetrics",
            "Server",
            "Deployments",
            "Webhooks",
            "Predict",
        ]
        for each in shown:
            if each.name != "LiveMetrics":
                assert "errors" not in await client.execute(each.text, each.variables), each.text

    def test_registry_without_models_has_those_that_need_none(self) -> None:
        """Before the first model is served, nothing is predicted."""
        shown = examples([], LOCAL, taken=TAKEN)
        assert [each.name for each in shown] == [
            "Models",
            "LiveMetrics",
            "Server",
            "Deployments",
            "Webhooks",
        ]

    def test_strangers_learn_no_names(self) -> None:
        """Who may not read models sees none of them."""
        shown = examples([served("secret")], ANONYMOUS, taken=TAKEN)
        assert not any("secret" in each.text for each in shown)
