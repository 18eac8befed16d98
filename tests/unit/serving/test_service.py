"""Served models predict what they compute, and say what is wrong when they do not."""

import asyncio
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import structlog
from structlog.testing import capture_logs

from gql_platform.errors import (
    EmptyRowsError,
    InvalidRowsError,
    ModelNotFoundError,
    ModelNotReadyError,
    PlatformError,
    PredictionError,
    TooManyRowsError,
)
from gql_platform.registry.records import ModelPackage, ModelVersion
from gql_platform.services import Services
from gql_platform.serving.ports import ClassOutput, Output, Predictor, ValueOutput
from gql_platform.serving.records import ClassPrediction, ModelState, Rows, ValuePrediction
from gql_platform.testing import (
    HOUSE_PACKAGE,
    InMemoryLoader,
    InMemoryStore,
    LinearRegressor,
    in_memory_services,
)
from tests.unit.serving.doubles import HOUSE_ROW, Scripted, house_serving

pytestmark = pytest.mark.anyio


class TestPredict:
    async def test_classifier_gives_label_and_probabilities(self, services: Services) -> None:
        """The probabilities are the softmax of the scores, computed here by hand."""
        answer = await services.serving.predict("iris_species", [[5.1, 3.5, 1.4, 0.2]])
        scores = [
            9.86 - 0.42 * 5.1 + 0.97 * 3.5 - 2.52 * 1.4 - 1.08 * 0.2,
            2.23 + 0.53 * 5.1 - 0.32 * 3.5 - 0.21 * 1.4 - 0.94 * 0.2,
            -12.09 - 0.11 * 5.1 - 0.65 * 3.5 + 2.72 * 1.4 + 2.03 * 0.2,
        ]
        total = sum(math.exp(score) for score in scores)
        expected = [math.exp(score) / total for score in scores]
        (prediction,) = answer.predictions
        assert isinstance(prediction, ClassPrediction)
        assert (answer.model, answer.version) == ("iris_species", 1)
        assert prediction.label == "setosa"
        assert prediction.probability == pytest.approx(expected[0], rel=1e-12)
        assert [entry.label for entry in prediction.probabilities] == [
            "setosa",
            "versicolor",
            "virginica",
        ]
        assert [entry.probability for entry in prediction.probabilities] == pytest.approx(
            expected, rel=1e-12
        )
        assert answer.latency_ms >= 0

    async def test_regressor_gives_values(self, services: Services) -> None:
        """Each row has its value, whichever way it is written."""
        answer = await services.serving.predict(
            "house_price",
            [
                {"has a garden": True, "number of rooms": 4, "living area (m2)": 100},
                (80.5, 3, False),
            ],
        )
        assert answer.predictions == (
            ValuePrediction(50_000 + 3000 * 100 + 12_500 * 4 + 20_000),
            ValuePrediction(50_000 + 3000 * 80.5 + 12_500 * 3),
        )

    async def test_answers_keep_the_order_of_the_rows(self, services: Services) -> None:
        """The n-th answer belongs to the n-th row."""
        rows = [(float(area), 0, False) for area in range(1000)]
        answer = await services.serving.predict("house_price", rows)
        assert answer.predictions == tuple(
            ValuePrediction(50_000.0 + 3000 * area) for area in range(1000)
        )

    async def test_model_gets_the_table_of_its_signature(self) -> None:
        """The predictor sees the signature's names, order and types."""
        frames: list[pd.DataFrame] = []

        def act(frame: pd.DataFrame) -> ValueOutput:
            frames.append(frame)
            return ValueOutput(np.zeros(len(frame)))

        serving = await house_serving(Scripted(act))
        await serving.predict(
            "house", [{"number of rooms": 4, "has a garden": True, "living area (m2)": 1}]
        )
        (frame,) = frames
        assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
            "living area (m2)": "float64",
            "number of rooms": "int64",
            "has a garden": "bool",
        }


class TestRefusals:
    @pytest.mark.parametrize(
        ("model", "rows", "error", "data"),
        [
            (
                "houses",
                [HOUSE_ROW],
                ModelNotFoundError,
                {"name": "houses", "served": ["house_price", "iris_species"]},
            ),
            ("house_price", [], EmptyRowsError, {}),
            ("house_price", [HOUSE_ROW] * 4, TooManyRowsError, {"count": 4, "maximum": 3}),
            (
                "house_price",
                [(100.0, "four", True)],
                InvalidRowsError,
                {
                    "model": "house_price",
                    "problem_count": 1,
                    "problems": [
                        {
                            "row": 0,
                            "column": "number of rooms",
                            "problem": "The value is text ('four').",
                            "expected": "a whole number of 64 bits",
                        }
                    ],
                },
            ),
        ],
    )
    async def test_input_that_cannot_be_used_is_told(
        self, model: str, rows: Rows, error: type[PlatformError], data: dict[str, object]
    ) -> None:
        """What is wrong with a request is said with the facts."""
        services = in_memory_services(max_rows=3)
        await services.deployments.load_all()
        with pytest.raises(error) as caught:
            await services.serving.predict(model, rows)
        assert caught.value.data == data

    async def test_largest_request_is_taken(self) -> None:
        """As many rows as are allowed are predicted."""
        services = in_memory_services(max_rows=3)
        await services.deployments.load_all()
        answer = await services.serving.predict("house_price", [HOUSE_ROW] * 3)
        assert len(answer.predictions) == 3

    async def test_failed_model_says_why(self) -> None:
        """Asking a model that did not load gives the reason for it."""
        services = in_memory_services(loader=InMemoryLoader({}))
        await services.deployments.load_all()
        with pytest.raises(ModelNotReadyError) as caught:
            await services.serving.predict("house_price", [HOUSE_ROW])
        assert caught.value.data == {
            "name": "house_price",
            "reason": "Version 1 of 'house_price' could not be loaded: it has no predictor.",
        }

    async def test_model_that_is_loading_asks_for_patience(self) -> None:
        """A model that is on its way is found, but does not predict yet."""
        arrived, go_on = asyncio.Event(), asyncio.Event()

        class Waiting(InMemoryLoader):
            async def load(self, version: ModelVersion, package: ModelPackage) -> Predictor:
                del version, package
                arrived.set()
                await go_on.wait()
                return LinearRegressor([1.0, 1.0, 1.0])

        store = InMemoryStore()
        store.add_version("house", package=HOUSE_PACKAGE)
        services = in_memory_services(store, Waiting({}))
        serving = services.serving
        loading = asyncio.create_task(services.deployments.load_all())
        await arrived.wait()
        assert serving.model("house").state is ModelState.LOADING
        with pytest.raises(ModelNotReadyError) as caught:
            await serving.predict("house", [HOUSE_ROW])
        assert caught.value.reason == "it is being loaded; try again in a moment."
        go_on.set()
        await loading
        assert (await serving.predict("house", [HOUSE_ROW])).predictions == (
            ValuePrediction(105.0),
        )


def broken(_: pd.DataFrame) -> ValueOutput:
    """Fail with something that nobody should see."""
    raise ZeroDivisionError("the secret ingredient is 42")


class TestFailingModel:
    @pytest.mark.parametrize(
        ("act", "reason"),
        [
            (broken, "it raised ZeroDivisionError; the server's log has the details."),
            (lambda _: ValueOutput(np.ones(3)), "it returned 3 answers for 1 rows."),
            (
                lambda _: ValueOutput(np.array([np.nan])),
                "it returned values that are not finite numbers.",
            ),
            (
                lambda _: ClassOutput(np.array([0]), None),
                "it chose a label that is not among its 0.",
            ),
        ],
    )
    async def test_answer_says_what_kind_of_failure(
        self, act: Callable[[pd.DataFrame], Output], reason: str
    ) -> None:
        """A model that does not answer the rows is told by name and version."""
        serving = await house_serving(Scripted(act))
        with pytest.raises(PredictionError) as caught:
            await serving.predict("house", [HOUSE_ROW])
        assert caught.value.data == {"name": "house", "version": 1, "reason": reason}

    async def test_details_are_in_the_log_only(self) -> None:
        """What the model raised is for the operator, with the traceback."""
        serving = await house_serving(Scripted(broken))
        with capture_logs() as lines, pytest.raises(PredictionError) as caught:
            await serving.predict("house", [HOUSE_ROW])
        assert "42" not in str(caught.value)
        (line,) = lines
        assert isinstance(line.pop("exc_info"), ZeroDivisionError)
        assert line == {
            "event": "prediction_failed",
            "log_level": "error",
            "model": "house",
            "version": 1,
        }

    async def test_values_that_the_model_refuses_are_no_error_of_ours(self) -> None:
        """A number that is too large for the model is told in one line, without a traceback."""

        def refuse(_: pd.DataFrame) -> ValueOutput:
            raise ValueError("Input X contains a value too large for dtype('float32').")

        serving = await house_serving(Scripted(refuse))
        processors = [structlog.contextvars.merge_contextvars]
        with (
            capture_logs(processors=processors) as lines,
            structlog.contextvars.bound_contextvars(request_id="r1"),
            pytest.raises(PredictionError) as caught,
        ):
            await serving.predict("house", [HOUSE_ROW])
        assert "refused the values" in str(caught.value)
        assert lines == [
            {
                "event": "values_refused",
                "log_level": "warning",
                "model": "house",
                "version": 1,
                "reason": "Input X contains a value too large for dtype('float32').",
                "request_id": "r1",
            }
        ]

    async def test_model_goes_on_after_a_failure(self) -> None:
        """One request that failed does not spoil the next."""
        outputs = iter([ValueOutput(np.array([np.inf])), ValueOutput(np.array([7.0]))])
        serving = await house_serving(Scripted(lambda _: next(outputs)))
        with pytest.raises(PredictionError):
            await serving.predict("house", [HOUSE_ROW])
        answer = await serving.predict("house", [HOUSE_ROW])
        assert answer.predictions == (ValuePrediction(7.0),)
