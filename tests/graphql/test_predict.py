"""Predictions over GraphQL, typed and untyped."""

import math

import pytest

from gql_platform.services import Services
from gql_platform.testing import GraphQLClient, InMemoryLoader, InMemoryStore, in_memory_services

pytestmark = pytest.mark.anyio

SETOSA = {
    "sepalLengthCm": 5.1,
    "sepalWidthCm": 3.5,
    "petalLengthCm": 1.4,
    "petalWidthCm": 0.2,
}


class TestTyped:
    QUERY = """
        query ($rows: [IrisSpeciesRow!]!) {
          predict {
            irisSpecies(rows: $rows) {
              model
              version
              latencyMs
              predictions { label probability probabilities { label probability } }
            }
          }
        }
    """

    async def test_a_classifier_answers_with_labels_and_probabilities(
        self, client: GraphQLClient
    ) -> None:
        answer = await client.execute(self.QUERY, {"rows": [SETOSA]})
        found = answer["data"]["predict"]["irisSpecies"]
        (prediction,) = found["predictions"]
        # The softmax of the example model's three scores, by hand.
        scores = [
            9.86 - 0.42 * 5.1 + 0.97 * 3.5 - 2.52 * 1.4 - 1.08 * 0.2,
            2.23 + 0.53 * 5.1 - 0.32 * 3.5 - 0.21 * 1.4 - 0.94 * 0.2,
            -12.09 - 0.11 * 5.1 - 0.65 * 3.5 + 2.72 * 1.4 + 2.03 * 0.2,
        ]
        total = sum(map(math.exp, scores))

        assert (found["model"], found["version"]) == ("iris_species", 1)
        assert found["latencyMs"] > 0
        assert prediction["label"] == "setosa"
        assert math.exp(scores[0]) / total == pytest.approx(prediction["probability"])
        assert [each["label"] for each in prediction["probabilities"]] == [
            "setosa",
            "versicolor",
            "virginica",
        ]
        assert [math.exp(score) / total for score in scores] == pytest.approx(
            [each["probability"] for each in prediction["probabilities"]]
        )

    async def test_a_regressor_answers_with_values_in_the_order_of_the_rows(
        self, client: GraphQLClient
    ) -> None:
        query = """{ predict { housePrice(rows: [
            {livingAreaM2: 100, numberOfRooms: 4, hasAGarden: true}
            {livingAreaM2: 50.5, numberOfRooms: 2, hasAGarden: false}
        ]) { predictions { value } } } }"""
        expected = [50_000 + 3000 * 100 + 12_500 * 4 + 20_000, 50_000 + 3000 * 50.5 + 12_500 * 2]

        answer = await client.execute(query)

        assert {
            "data": {"predict": {"housePrice": {"predictions": [{"value": v} for v in expected]}}}
        } == answer

    async def test_several_models_answer_in_one_request(self, client: GraphQLClient) -> None:
        query = """query ($rows: [IrisSpeciesRow!]!) { predict {
            a: irisSpecies(rows: $rows) { predictions { label } }
            b: housePrice(rows: [{livingAreaM2: 1, numberOfRooms: 1, hasAGarden: false}]) {
                predictions { value }
            }
        } }"""
        answer = await client.execute(query, {"rows": [SETOSA]})

        assert answer == {
            "data": {
                "predict": {
                    "a": {"predictions": [{"label": "setosa"}]},
                    "b": {"predictions": [{"value": 65_500.0}]},
                }
            }
        }

    @pytest.mark.parametrize(
        ("row", "part"),
        [
            ({**SETOSA, "petalWidthCm": None}, "petalWidthCm"),
            ({**SETOSA, "petalWidthCm": "wide"}, "petalWidthCm"),
            ({**SETOSA, "petalWidth": 1.0}, "petalWidth"),
            ({k: v for k, v in SETOSA.items() if k != "petalWidthCm"}, "petalWidthCm"),
            ("not a row", "IrisSpeciesRow"),
        ],
    )
    async def test_a_row_that_does_not_fit_its_type_names_the_field(
        self, client: GraphQLClient, row: object, part: str
    ) -> None:
        answer = await client.execute(self.QUERY, {"rows": [row]})

        assert answer["data"] is None
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert part in answer["errors"][0]["message"]

    async def test_no_rows_are_refused(self, client: GraphQLClient) -> None:
        answer = await client.execute(self.QUERY, {"rows": []})

        assert answer["data"] == {"predict": {"irisSpecies": None}}
        assert answer["errors"][0]["extensions"]["code"] == "EMPTY_ROWS"
        assert answer["errors"][0]["path"] == ["predict", "irisSpecies"]

    async def test_too_many_rows_are_refused_with_the_limit(self) -> None:
        services = in_memory_services(max_rows=3)
        await services.deployments.load_all()

        answer = await GraphQLClient(services).execute(self.QUERY, {"rows": [SETOSA] * 4})
        await services.close()

        error = answer["errors"][0]["extensions"]
        assert (error["code"], error["count"], error["maximum"]) == ("TOO_MANY_ROWS", 4, 3)

    async def test_a_failing_model_does_not_void_its_neighbour(self, client: GraphQLClient) -> None:
        query = """{ predict {
            irisSpecies(rows: []) { version }
            housePrice(rows: [{livingAreaM2: 1, numberOfRooms: 1, hasAGarden: true}]) { version }
        } }"""
        answer = await client.execute(query)

        assert answer["data"] == {"predict": {"irisSpecies": None, "housePrice": {"version": 1}}}

    async def test_the_cap_is_ten_thousand_rows_unless_set(self, client: GraphQLClient) -> None:
        query = """query ($rows: Rows!) {
            predictRows(model: "house_price", rows: $rows) { predictions { __typename } } }"""
        most = await client.execute(query, {"rows": [[100, 4, True]] * 10_000})
        more = await client.execute(query, {"rows": [[100, 4, True]] * 10_001})

        assert len(most["data"]["predictRows"]["predictions"]) == 10_000
        assert more["errors"][0]["extensions"]["code"] == "TOO_MANY_ROWS"


class TestRows:
    QUERY = """
        query ($model: String!, $rows: Rows!) {
          predictRows(model: $model, rows: $rows) {
            model
            version
            predictions {
              __typename
              ... on ClassPrediction { label }
              ... on ValuePrediction { value }
            }
          }
        }
    """

    @pytest.mark.parametrize(
        "row",
        [
            [100, 4, True],
            {"living area (m2)": 100, "number of rooms": 4, "has a garden": True},
        ],
    )
    async def test_objects_and_arrays_are_rows(self, client: GraphQLClient, row: object) -> None:
        expected = {
            "model": "house_price",
            "version": 1,
            "predictions": [{"__typename": "ValuePrediction", "value": 420_000.0}],
        }
        answer = await client.execute(self.QUERY, {"model": "house_price", "rows": [row]})

        assert {"data": {"predictRows": expected}} == answer

    async def test_rows_may_stand_in_the_document(self, client: GraphQLClient) -> None:
        query = """{ predictRows(model: "iris_species", rows: [
            [5.1, 3.5, 1.4, 0.2]
            {sepal: 1}
        ]) { version } }"""
        answer = await client.execute(query)

        assert answer["errors"][0]["extensions"]["code"] == "INVALID_ROWS"

    async def test_a_wrong_value_is_named_by_row_and_column(self, client: GraphQLClient) -> None:
        rows = [[100, 4, True], {"living area (m2)": "big", "has a garden": 1, "pool": True}]
        answer = await client.execute(self.QUERY, {"model": "house_price", "rows": rows})
        (error,) = answer["errors"]

        assert answer["data"] == {"predictRows": None}
        assert error["extensions"]["code"] == "INVALID_ROWS"
        assert error["extensions"]["problemCount"] == 4
        assert [
            (problem["row"], problem["column"], problem["problem"])
            for problem in error["extensions"]["problems"]
        ] == [
            (1, "pool", "The signature has no column 'pool'."),
            (1, "living area (m2)", "The value is text ('big')."),
            (1, "number of rooms", "The value is missing."),
            (1, "has a garden", "The value is a number (1)."),
        ]

    async def test_an_unknown_model_names_the_served_ones(self, client: GraphQLClient) -> None:
        answer = await client.execute(self.QUERY, {"model": "nope", "rows": [[1]]})
        error = answer["errors"][0]["extensions"]

        assert (
            error["code"],
            error["served"],
        ) == ("MODEL_NOT_FOUND", ["house_price", "iris_species"])

    @pytest.mark.parametrize("rows", ["x", {"a": 1}, [1, 2], [None]])
    async def test_rows_of_another_shape_are_refused(
        self, client: GraphQLClient, rows: object
    ) -> None:
        answer = await client.execute(self.QUERY, {"model": "house_price", "rows": rows})

        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_model_that_did_not_load_has_no_typed_field_and_says_why() -> None:
    store = InMemoryStore()
    store.add_version("broken")
    services = in_memory_services(store, InMemoryLoader({}))
    await services.deployments.load_all()
    client = GraphQLClient(services)

    answer = await client.execute(
        '{ predictRows(model: "broken", rows: [[1]]) { version } '
        "server { state models { model state reason modelVersion { version } } } }"
    )
    await services.close()

    assert answer["errors"][0]["extensions"]["code"] == "MODEL_NOT_READY"
    assert answer["data"]["server"] == {
        "state": "DEGRADED",
        "models": [
            {
                "model": "broken",
                "state": "FAILED",
                "reason": (
                    "Version 1 of 'broken' cannot be served: its files are missing or cannot be "
                    "read; the server's log says why."
                ),
                "modelVersion": {"version": 1},
            }
        ],
    }
    assert "type Predict " not in client.schema.as_str()


class TestLiveMetrics:
    QUERY = """
        subscription ($model: String, $interval: Float! = 0.1) {
          liveMetrics(model: $model, intervalSeconds: $interval) {
            windowSeconds
            models { model requestCount errorCount inFlight latency { p50Ms p95Ms p99Ms } }
          }
        }
    """

    async def test_it_samples_until_it_is_left(
        self, client: GraphQLClient, services: Services
    ) -> None:
        events = client.subscribe(self.QUERY, {"model": "house_price"})
        before = await anext(events)
        await services.serving.predict("house_price", [[100, 4, True]])
        after = await anext(events)

        assert before["data"]["liveMetrics"]["models"] == [
            {
                "model": "house_price",
                "requestCount": 0,
                "errorCount": 0,
                "inFlight": 0,
                "latency": None,
            }
        ]
        (sample,) = after["data"]["liveMetrics"]["models"]
        assert (sample["requestCount"], sample["errorCount"], sample["inFlight"]) == (1, 0, 0)
        assert 0 < sample["latency"]["p50Ms"] <= sample["latency"]["p99Ms"]

    @pytest.mark.parametrize(
        ("variables", "code"),
        [({"model": "nope"}, "MODEL_NOT_FOUND"), ({"interval": 0.01}, "INVALID_INTERVAL")],
    )
    async def test_what_cannot_be_followed_is_a_typed_error(
        self, client: GraphQLClient, variables: dict[str, object], code: str
    ) -> None:
        (event,) = [event async for event in client.subscribe(self.QUERY, variables)]

        assert code == event["errors"][0]["extensions"]["code"]


async def test_many_rows_are_answered_in_columns(services: Services) -> None:
    rows = "[{sepalLengthCm: 5.1, sepalWidthCm: 3.5, petalLengthCm: 1.4, petalWidthCm: 0.2}]"
    document = f"""{{ predict {{
      irisSpecies(rows: {rows}) {{
        columnLabels probabilityMatrix predictions {{ probabilities {{ label probability }} }}
      }}
      housePrice(rows: [
        {{livingAreaM2: 1, numberOfRooms: 0, hasAGarden: false}},
        {{livingAreaM2: 2, numberOfRooms: 0, hasAGarden: false}}
      ]) {{ values }}
    }} }}"""
    data = (await GraphQLClient(services).execute(document))["data"]["predict"]

    (prediction,) = data["irisSpecies"]["predictions"]
    entries = prediction["probabilities"]
    assert data["irisSpecies"]["columnLabels"] == [entry["label"] for entry in entries]
    assert data["irisSpecies"]["probabilityMatrix"] == [[entry["probability"] for entry in entries]]
    assert data["housePrice"]["values"] == [53_000.0, 56_000.0]
