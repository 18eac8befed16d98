"""The demo models are trained on real data, the same each time, and good enough to show."""

from collections.abc import Mapping

import numpy as np
import pytest

from gql_platform.demo.records import DemoModel, TrainedModel
from gql_platform.demo.training import TRAINING, publish_models


@pytest.fixture(scope="module")
def models() -> Mapping[str, TrainedModel]:
    """Every demo model, by name."""
    return {model.name: model for model in (train() for train in TRAINING.values())}


class Recorder:
    """A publisher that remembers what it was given."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def publish(self, model: TrainedModel) -> int:
        """Number the models in their order."""
        self.names.append(model.name)
        return len(self.names)


class TestModels:
    def test_names(self, models: Mapping[str, TrainedModel]) -> None:
        """There are two classifiers and a regressor."""
        assert sorted(models) == ["breast_cancer", "diabetes", "wine"]

    @pytest.mark.parametrize("name", ["breast_cancer", "wine"])
    def test_classifiers_are_good(self, models: Mapping[str, TrainedModel], name: str) -> None:
        """On rows that they have not seen, they are right nearly always."""
        metrics = models[name].metrics
        assert list(metrics) == ["accuracy", "roc_auc", "log_loss", "f1"]
        assert metrics["accuracy"] > 0.9
        assert metrics["roc_auc"] > 0.97
        assert metrics["log_loss"] < 0.2
        assert metrics["f1"] > 0.9

    def test_regressor_explains_a_good_part(self, models: Mapping[str, TrainedModel]) -> None:
        """Published models explain 0.4 to 0.5 of the variance in these data; so does ours."""
        metrics = models["diabetes"].metrics
        assert list(metrics) == ["r2", "mae", "rmse"]
        assert 0.4 < metrics["r2"] < 0.55
        assert metrics["mae"] < metrics["rmse"] < 65

    def test_metrics_are_of_the_rows_that_are_kept(
        self, models: Mapping[str, TrainedModel]
    ) -> None:
        """Computed by hand on the held-out rows, R2 is 1 - SSE / SST, and RMSE its root mean."""
        model = models["diabetes"]
        predicted = model.estimator.predict(model.inputs)
        np.testing.assert_array_equal(model.outputs["progression"], predicted)
        squared_error = model.metrics["rmse"] ** 2
        explained = 1 - model.metrics["r2"]
        # Both figures describe one set of targets when their variance comes out as that of
        # the data, which is 77.0 ** 2 for all 442 patients.
        assert (squared_error / explained) ** 0.5 == pytest.approx(77, rel=0.1)

    @pytest.mark.parametrize(
        ("name", "columns", "rows", "labels"),
        [
            ("breast_cancer", 30, 143, ["benign", "malignant"]),
            ("wine", 13, 45, ["class_0", "class_1", "class_2"]),
            ("diabetes", 10, 111, None),
        ],
    )
    def test_rows_are_those_of_the_data(
        self,
        models: Mapping[str, TrainedModel],
        name: str,
        columns: int,
        rows: int,
        labels: list[str] | None,
    ) -> None:
        """A quarter of the rows is held out; columns and labels keep their names."""
        model = models[name]
        assert model.inputs.shape == (rows, columns)
        assert len(model.outputs) == rows
        assert list(model.estimator.feature_names_in_) == list(model.inputs.columns)
        if labels is not None:
            assert model.estimator.classes_.tolist() == labels

    def test_training_again_gives_the_same(self, models: Mapping[str, TrainedModel]) -> None:
        """The seeds are fixed, so that docs and tests can show figures."""
        for train in TRAINING.values():
            again = train()
            assert again.metrics == models[again.name].metrics
            assert again.inputs.equals(models[again.name].inputs)

    def test_columns_have_their_original_names(self, models: Mapping[str, TrainedModel]) -> None:
        """Names with blanks and slashes are kept; the schema must cope with them."""
        assert "mean radius" in models["breast_cancer"].inputs
        assert "od280/od315_of_diluted_wines" in models["wine"].inputs

    def test_regressor_reads_plain_units(self, models: Mapping[str, TrainedModel]) -> None:
        """An age is in years, and not a number around zero."""
        assert models["diabetes"].inputs["age"].between(18, 100).all()

    def test_descriptions_tell_what_is_predicted(self, models: Mapping[str, TrainedModel]) -> None:
        """Each begins with the question that the model answers."""
        assert [model.description.partition("?")[0] for model in models.values()] == [
            "Is a breast tumour malignant or benign",
            "How far will diabetes have progressed in a year",
            "From which of three cultivars, class_0 to class_2, is a wine",
        ]


class TestPublish:
    def test_each_model_is_published(self) -> None:
        """All models go to the publisher, and their versions come back."""
        recorder = Recorder()
        assert publish_models(recorder) == [("breast_cancer", 1), ("diabetes", 2), ("wine", 3)]
        assert recorder.names == ["breast_cancer", "diabetes", "wine"]

    def test_only_what_is_asked_for_is_trained(self) -> None:
        """Models that are not named are left alone."""
        recorder = Recorder()
        assert publish_models(recorder, [DemoModel.DIABETES]) == [("diabetes", 1)]
