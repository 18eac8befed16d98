"""Forecasts over GraphQL, REST and the Open Inference Protocol."""

from collections.abc import AsyncIterator

import httpx2
import numpy as np
import pytest

from gql_platform.adapters.forecasters.steps import STEP_SIGNATURE, StepForecaster
from gql_platform.deployments.records import Comparison, Routing, Variant, VariantMode
from gql_platform.registry.records import CHAMPION, ModelPackage, VersionRef
from gql_platform.services import Services
from gql_platform.testing import GraphQLClient, InMemoryLoader, InMemoryStore, in_memory_services
from tests.app import app_client
from tests.unit.serving.lanes import until

pytestmark = pytest.mark.anyio

VALUES = np.array([10.0, 11.0, 12.5])


@pytest.fixture
async def forecasting() -> AsyncIterator[Services]:
    """Services with a forecaster that has intervals, and one that has none."""
    store = InMemoryStore()
    package = ModelPackage("statsmodels", STEP_SIGNATURE, None, ({"step": 1},))
    store.add_version("sales", package=package, aliases=[CHAMPION])
    store.add_version("sales", package=package)
    store.add_version("visits", package=package)
    loader = InMemoryLoader(
        {
            VersionRef("sales", 1): StepForecaster(VALUES, (VALUES - 2, VALUES + 2)),
            VersionRef("sales", 2): StepForecaster(VALUES + 1, (VALUES - 2, VALUES + 2)),
            VersionRef("visits", 1): StepForecaster(VALUES, None),
        }
    )
    services = in_memory_services(store, loader)
    await services.deployments.load_all()
    yield services
    await services.close()


async def test_the_typed_field_answers_with_intervals(forecasting: Services) -> None:
    client = GraphQLClient(forecasting)
    query = """{ predict { sales(rows: [{step: 3}, {step: 1}]) {
        intervalLevel values lower upper predictions { value lower upper } } } }"""

    answer = await client.execute(query)

    assert answer == {
        "data": {
            "predict": {
                "sales": {
                    "intervalLevel": 0.95,
                    "values": [12.5, 10.0],
                    "lower": [10.5, 8.0],
                    "upper": [14.5, 12.0],
                    "predictions": [
                        {"value": 12.5, "lower": 10.5, "upper": 14.5},
                        {"value": 10.0, "lower": 8.0, "upper": 12.0},
                    ],
                }
            }
        }
    }


async def test_a_model_without_intervals_leaves_them_null(forecasting: Services) -> None:
    client = GraphQLClient(forecasting)
    query = """{ predict { visits(rows: [{step: 2}]) {
        lower upper predictions { value lower upper } } } }"""

    answer = await client.execute(query)

    expected = {"value": 11.0, "lower": None, "upper": None}
    assert answer["data"]["predict"]["visits"] == {
        "lower": None,
        "upper": None,
        "predictions": [expected],
    }


async def test_the_untyped_way_tells_a_forecast_from_other_predictions(
    forecasting: Services,
) -> None:
    client = GraphQLClient(forecasting)
    query = """{ predictRows(model: "sales", rows: [{step: 1}]) { predictions {
        __typename ... on ForecastPrediction { value lower upper } } } }"""

    answer = await client.execute(query)

    (found,) = answer["data"]["predictRows"]["predictions"]
    assert found == {
        "__typename": "ForecastPrediction",
        "value": 10.0,
        "lower": 8.0,
        "upper": 12.0,
    }


@pytest.mark.parametrize("step", [4, 0, -1, 2**62])
async def test_a_step_that_is_not_forecast_is_an_invalid_row(
    forecasting: Services, step: int
) -> None:
    """The error says which row is wrong and which steps there are, whatever was asked."""
    client = GraphQLClient(forecasting)

    answer = await client.execute(
        f"{{ predict {{ sales(rows: [{{step: 1}}, {{step: {step}}}]) {{ values }} }} }}"
    )

    assert answer["data"]["predict"]["sales"] is None
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "INVALID_ROWS"
    assert error["message"] == (
        f"1 value does not fit the signature of 'sales'; row 1, column 'step': The value {step} is "
        "none that the model answers. Expected a whole number from 1 to 3: how many steps after "
        "the last of the series."
    )


class TestREST:
    @pytest.fixture
    async def http(self, forecasting: Services) -> AsyncIterator[httpx2.AsyncClient]:
        """A client of the application."""
        async with app_client(services=forecasting) as http:
            yield http

    async def test_predict(self, http: httpx2.AsyncClient) -> None:
        answer = (await http.post("/predict/sales", json={"inputs": [{"step": 2}]})).json()
        assert answer["predictions"] == [{"value": 11.0, "lower": 9.0, "upper": 13.0}]

    async def test_a_step_that_is_not_forecast(self, http: httpx2.AsyncClient) -> None:
        """A step beyond the horizon is the caller's error in every protocol."""
        found = await http.post("/predict/sales", json={"inputs": [{"step": 4}]})
        assert (found.status_code, found.json()["code"]) == (422, "INVALID_ROWS")
        body = {"dataframe_records": [{"step": 0}]}
        found = await http.post("/models/sales/invocations", json=body)
        assert found.status_code == 422
        step = {"name": "step", "shape": [1], "datatype": "INT64", "data": [-3]}
        found = await http.post("/v2/models/sales/infer", json={"inputs": [step]})
        assert found.status_code == 400
        assert "Expected a whole number from 1 to 3" in found.json()["error"]

    async def test_mlflow_scoring(self, http: httpx2.AsyncClient) -> None:
        body = {"dataframe_records": [{"step": 2}]}
        answer = (await http.post("/models/sales/invocations", json=body)).json()
        assert answer == {"predictions": [11.0]}

    async def test_metadata_of_the_open_inference_protocol(self, http: httpx2.AsyncClient) -> None:
        answer = (await http.get("/v2/models/sales")).json()
        assert [each["name"] for each in answer["outputs"]] == ["value", "lower", "upper"]

    @pytest.mark.parametrize(
        ("model", "names"), [("sales", ["value", "lower", "upper"]), ("visits", ["value"])]
    )
    async def test_tensors(self, http: httpx2.AsyncClient, model: str, names: list[str]) -> None:
        step = {"name": "step", "shape": [1], "datatype": "INT64", "data": [3]}
        answer = (await http.post(f"/v2/models/{model}/infer", json={"inputs": [step]})).json()
        assert [each["name"] for each in answer["outputs"]] == names
        assert answer["outputs"][0]["data"] == [12.5]

    async def test_intervals_that_are_not_there(self, http: httpx2.AsyncClient) -> None:
        step = {"name": "step", "shape": [1], "datatype": "INT64", "data": [3]}
        body = {"inputs": [step], "outputs": [{"name": "lower"}]}
        response = await http.post("/v2/models/visits/infer", json=body)
        assert response.status_code == 400
        assert "gives no intervals" in response.json()["error"]


async def test_a_shadow_is_compared_and_answers_nobody(forecasting: Services) -> None:
    live = Variant("stable", 1, None, 1.0, VariantMode.LIVE)
    trial = Variant("trial", 2, None, 0.0, VariantMode.SHADOW)
    await forecasting.deployments.update(
        "sales", routing=Routing.WEIGHTED, variants=[live, trial], allow_breaking=False
    )
    client = GraphQLClient(forecasting)

    answer = await client.execute("{ predict { sales(rows: [{step: 3}, {step: 1}]) { values } } }")

    assert answer == {"data": {"predict": {"sales": {"values": [12.5, 10.0]}}}}

    def compared() -> Comparison | None:
        found = forecasting.serving.deployment("sales")
        assert found is not None
        return found.variants[1].comparison

    await until(lambda: compared() != Comparison(0, 0, 0, 0, None, None))
    assert compared() == Comparison(1, 0, 0, 2, None, 1.0)
