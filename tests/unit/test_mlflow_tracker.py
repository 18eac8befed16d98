"""Runs, models and stages tracked from a program, on a store in SQLite."""

import asyncio
import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.models import Model
from mlflow.tracking._tracking_service import utils as tracking_service
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import gql_platform
from gql_platform import MLflowTracker, errors
from gql_platform.bootstrap import open_services
from gql_platform.registry.records import CHAMPION, ColumnType, Stage, VersionRef
from gql_platform.settings import load_settings
from gql_platform.tracking.records import RunState
from tests.contract.mlflow_registry import new_database

ROWS = pd.DataFrame({"amount": [10.0, 20.0, 800.0, 900.0] * 6, "hour": [1, 2, 3, 4] * 6})
LABELS = np.array(["no", "no", "yes", "yes"] * 6)
NUMBERS = ROWS["amount"] * 2.0


pytestmark = pytest.mark.slow


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """The address of an empty store."""
    return new_database(tmp_path)


@pytest.fixture
def tracker(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MLflowTracker:
    """A tracker over it, whose data folder and working folder are the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GQL_PLATFORM_DATA_DIR", str(tmp_path / "data"))
    return MLflowTracker("fraud", tracking_uri=uri)


@pytest.fixture
def client(uri: str) -> MlflowClient:
    """MLflow's own client of the store."""
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def log_one(tracker: MLflowTracker) -> None:
    """Log a model to a run."""
    with tracker.start_run():
        tracker.log_model(LogisticRegression().fit(ROWS, LABELS), input_example=ROWS)


class TestRuns:
    def test_what_is_logged_is_there(
        self, tracker: MLflowTracker, client: MlflowClient, tmp_path: Path
    ) -> None:
        """Params, metrics, tags and files stand in the run, which is over behind the block."""
        (tmp_path / "note.txt").write_text("hello")
        with tracker.start_run("first", tags={"team": "risk"}) as run:
            tracker.log_params({"depth": 3, "loss": "log"})
            tracker.log_metrics({"auc": np.float32(0.5)}, step=2)
            tracker.log_metrics({"auc": 1}, step=3)
            tracker.log_artifact(tmp_path / "note.txt", "notes")

        found = client.get_run(run.run_id)
        assert run.name == "first"
        assert found.info.status == "FINISHED"
        assert found.data.params == {"depth": "3", "loss": "log"}
        assert found.data.tags["team"] == "risk"
        history = client.get_metric_history(run.run_id, "auc")
        assert [(point.step, point.value) for point in history] == [(2, 0.5), (3, 1.0)]
        (file,) = client.list_artifacts(run.run_id, "notes")
        assert file.path == "notes/note.txt"
        assert client.get_experiment(run.experiment_id).name == "fraud"

    def test_files_lie_in_the_data_folder(self, tracker: MLflowTracker, tmp_path: Path) -> None:
        """Nothing is written into the folder that the program was started in."""
        log_one(tracker)

        assert not (tmp_path / "mlruns").exists()
        assert list((tmp_path / "data" / "artifacts").rglob("MLmodel"))

    def test_nan_and_infinities_are_kept(self, tracker: MLflowTracker) -> None:
        """A metric that went astray is logged as what it is."""
        with tracker.start_run() as run:
            tracker.log_metrics({"a": math.nan, "b": math.inf, "c": -math.inf})

        (compared,) = tracker.compare_runs([run.run_id]).runs
        values = {metric.key: metric.value for metric in compared.metrics}
        assert math.isnan(values.pop("a"))
        assert values == {"b": math.inf, "c": -math.inf}

    def test_an_error_ends_the_run_as_failed(self, tracker: MLflowTracker) -> None:
        """What goes wrong inside of the block goes on, and stands in the run."""
        with pytest.raises(ZeroDivisionError), tracker.start_run() as run:
            _ = 1 / 0
        with pytest.raises(KeyboardInterrupt), tracker.start_run() as other:
            raise KeyboardInterrupt

        compared = tracker.compare_runs([run.run_id, other.run_id])
        assert [each.state for each in compared.runs] == [RunState.FAILED, RunState.KILLED]

    def test_runs_are_compared_as_everywhere(self, tracker: MLflowTracker) -> None:
        """The best run of a metric is told by its name."""
        ids = []
        for depth, score in ((1, 0.5), (2, 0.75)):
            with tracker.start_run() as run:
                tracker.log_params({"depth": depth})
                tracker.log_metrics({"test_score": score})
            ids.append(run.run_id)

        found = tracker.compare_runs(ids)

        assert [(each.key, each.values) for each in found.params] == [("depth", ("1", "2"))]
        (metric,) = found.metrics
        assert (list(metric.values), metric.best_run_id) == ([0.5, 0.75], ids[1])

    def test_it_works_beside_an_event_loop(self, tracker: MLflowTracker) -> None:
        """A notebook has a loop at work in the same thread."""

        async def cell() -> str:
            with tracker.start_run() as run:
                tracker.log_params({"a": 1})
            return run.run_id

        assert tracker.compare_runs([asyncio.run(cell())]).missing == ()


class TestModels:
    @pytest.mark.parametrize(
        ("model", "flavour", "serialization"),
        [
            (RandomForestClassifier(3, random_state=0).fit(ROWS, LABELS), "sklearn", "skops"),
            (
                make_pipeline(FunctionTransformer(lambda rows: rows), LinearRegression()).fit(
                    ROWS, NUMBERS
                ),
                "sklearn",
                "cloudpickle",
            ),
            (
                lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(ROWS, LABELS),
                "lightgbm",
                "skops",
            ),
            (
                lightgbm.train({"verbose": -1}, lightgbm.Dataset(ROWS, NUMBERS), num_boost_round=2),
                "lightgbm",
                "lightgbm",
            ),
        ],
        ids=["forest", "lambda", "lightgbm", "booster"],
    )
    def test_a_model_comes_back_as_it_was(
        self, tracker: MLflowTracker, model: Any, flavour: str, serialization: str
    ) -> None:
        """Each kind of model is logged in its way, and predicts the same when it is loaded."""
        with tracker.start_run():
            found = tracker.log_model(model, "clf", input_example=ROWS)
        version = tracker.register_model("clf", "fraud_detector")
        again = tracker.load_model("fraud_detector")

        assert (found.flavour, found.serialization) == (flavour, serialization)
        assert version.stage is Stage.PRODUCTION
        assert type(again) is type(model)
        assert list(again.predict(ROWS)) == list(model.predict(ROWS))

    @pytest.mark.parametrize(
        "example",
        [ROWS, ROWS.to_numpy(), ROWS.to_dict("records"), ROWS.to_dict("records")[0]],
        ids=["table", "array", "objects", "object"],
    )
    @pytest.mark.anyio
    async def test_a_server_serves_it(self, tracker: MLflowTracker, uri: str, example: Any) -> None:
        """A server over the same store has the champion, its signature and its example."""
        with tracker.start_run() as run:
            tracker.log_model(LogisticRegression().fit(ROWS, LABELS), input_example=example)
        tracker.register_model("model", "fraud_detector")

        services = open_services(load_settings({"mlflow_tracking_uri": uri}))
        await services.deployments.load_all()
        (version,) = (await services.registry.versions(["fraud_detector"]))["fraud_detector"]
        packages = await services.registry.packages([version.ref])
        deployment = services.serving.deployment("fraud_detector")
        await services.close()

        assert (version.aliases, version.run_id) == ((CHAMPION,), run.run_id)
        signature = packages[version.ref].signature
        assert signature is not None
        assert [column.name for column in signature.inputs] == ["amount", "hour"]
        assert signature.inputs[0].type is ColumnType.DOUBLE
        assert packages[version.ref].input_example[0]["amount"] == 10.0
        assert deployment is not None
        assert [each.served is not None for each in deployment.variants] == [True]

    def test_a_model_trained_on_arrays_has_numbered_columns(
        self, tracker: MLflowTracker, client: MlflowClient
    ) -> None:
        """Columns without names get those that files of such models have, too."""
        with tracker.start_run():
            model = LogisticRegression().fit(ROWS.to_numpy(), LABELS)
            found = tracker.log_model(model, input_example=ROWS.to_numpy())

        files = client.get_logged_model(found.model_id).artifact_location
        signature = Model.load(files.removeprefix("file://")).signature
        assert signature.inputs.input_names() == ["feature_0", "feature_1"]

    def test_the_newest_model_of_a_stage_is_loaded(self, tracker: MLflowTracker) -> None:
        """Each stage has its own version, and the one that was registered last."""
        for slope, stage in ((1.0, "Production"), (2.0, "staging"), (3.0, Stage.STAGING)):
            with tracker.start_run():
                tracker.log_model(LinearRegression().fit(ROWS[["amount"]], ROWS["amount"] * slope))
            tracker.register_model("model", "house", stage)

        row = pd.DataFrame({"amount": [10.0]})
        found = [
            tracker.load_model("house", stage).predict(row)[0]
            for stage in ("Production", "Staging")
        ]
        assert found == [pytest.approx(10.0), pytest.approx(30.0)]

    def test_a_trial_lets_nothing_else_serve(
        self, tracker: MLflowTracker, client: MlflowClient
    ) -> None:
        """Where the newest version serves, it stays that when another one is registered."""
        log_one(tracker)
        first = tracker.register_model("model", "house", "None")
        second = tracker.register_model("model", "house", "Archived")

        assert first.aliases == ()
        assert client.get_registered_model("house").aliases == {CHAMPION: 1}
        assert (second.ref, second.stage) == (VersionRef("house", 2), Stage.ARCHIVED)

    def test_the_embedded_store_is_the_servers(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without an address, a tracker uses the store of a server in the same folder."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracker = MLflowTracker("fraud")
        with tracker.start_run():
            tracker.log_params({"a": 1})

        assert [path.name for path in tmp_path.iterdir()] == ["data"]
        assert load_settings().tracking_uri == f"sqlite:///{tmp_path}/data/mlflow.db"


class TestAutolog:
    def test_trainings_log_themselves(self, tracker: MLflowTracker, client: MlflowClient) -> None:
        """What is trained inside of a block stands in its run, and nothing else does."""
        tracker.autolog()
        with tracker.start_run() as run:
            LogisticRegression(C=0.5).fit(ROWS, LABELS)
        with tracker.start_run() as boosted:
            lightgbm.train(
                {"verbose": -1, "eta": 0.25}, lightgbm.Dataset(ROWS, NUMBERS), num_boost_round=2
            )
        LogisticRegression(C=0.25).fit(ROWS, LABELS)

        found = client.get_run(run.run_id)
        assert found.data.params["C"] == "0.5"
        assert found.data.metrics["training_accuracy_score"] == 1.0
        assert client.get_run(boosted.run_id).data.params["eta"] == "0.25"
        assert len(client.search_runs([run.experiment_id])) == 2
        assert mlflow.active_run() is None

    def test_it_begins_and_ends_inside_of_a_block(
        self, tracker: MLflowTracker, client: MlflowClient
    ) -> None:
        """What is asked for while a run is active holds at once."""
        with tracker.start_run() as run:
            tracker.autolog(["sklearn"])
            LogisticRegression(C=0.5).fit(ROWS, LABELS)
            tracker.autolog([])
            LogisticRegression(C=0.25).fit(ROWS, LABELS)

        assert client.get_run(run.run_id).data.params["C"] == "0.5"


class TestNeighbours:
    @pytest.mark.parametrize("before", [None, "sqlite:////nowhere/else.db"])
    def test_the_process_keeps_its_own_store(
        self, tracker: MLflowTracker, monkeypatch: pytest.MonkeyPatch, before: str | None
    ) -> None:
        """MLflow's address and the environment are the same before and after, and in between."""
        monkeypatch.setattr(tracking_service, "_tracking_uri", before)
        environment = dict(os.environ)
        seen: list[str | None] = []
        with tracker.start_run():
            tracker.log_model(LogisticRegression().fit(ROWS, LABELS), input_example=ROWS)
            seen.append(tracking_service._tracking_uri)
        tracker.register_model("model", "fraud_detector")
        tracker.load_model("fraud_detector")
        tracker.autolog(["sklearn"])
        with tracker.start_run():
            LogisticRegression().fit(ROWS, LABELS)
        seen.append(tracking_service._tracking_uri)

        assert seen == [before, before]
        assert dict(os.environ) == environment

    def test_nothing_is_told_on_the_side(
        self,
        tracker: MLflowTracker,
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """No line, no warning and no bar appears in a notebook."""
        tracker.autolog(["sklearn"])
        with caplog.at_level(logging.WARNING):
            with tracker.start_run():
                model = LogisticRegression().fit(ROWS, LABELS)
                tracker.log_model(model, input_example=ROWS)
            tracker.register_model("model", "fraud_detector")
            tracker.load_model("fraud_detector")

        assert capfd.readouterr() == ("", "")
        assert [record.getMessage() for record in caplog.records] == []

    def test_its_thread_ends_with_it(self, uri: str) -> None:
        """A tracker that nobody holds any more leaves no thread behind."""
        before = set(threading.enumerate())
        tracker = MLflowTracker("fraud", tracking_uri=uri)
        (thread,) = set(threading.enumerate()) - before
        del tracker
        thread.join(timeout=10)

        assert not thread.is_alive()

    def test_the_name_is_the_packages(self) -> None:
        """The class is imported from the package, when it is first asked for."""
        assert gql_platform.MLflowTracker is MLflowTracker
        assert "MLflowTracker" in gql_platform.__all__


class TestErrors:
    def test_nothing_is_logged_without_a_run(self, tracker: MLflowTracker, tmp_path: Path) -> None:
        """What belongs to a run is refused outside of its block."""
        for call in (
            lambda: tracker.log_params({"a": 1}),
            lambda: tracker.log_metrics({"a": 1}),
            lambda: tracker.log_model(LogisticRegression().fit(ROWS, LABELS)),
            lambda: tracker.log_artifact(tmp_path),
            lambda: tracker.register_model("model", "house"),
        ):
            with pytest.raises(errors.NoActiveRunError, match="inside of `with"):
                call()

    def test_one_run_at_a_time(self, tracker: MLflowTracker) -> None:
        """A second run is refused, and the first one goes on."""
        with tracker.start_run() as run:
            with pytest.raises(errors.RunActiveError, match=run.run_id), tracker.start_run():
                pass
            tracker.log_params({"a": 1})

    def test_names_and_values_are_refused_whole(
        self, tracker: MLflowTracker, client: MlflowClient
    ) -> None:
        """The error tells which name or value it was, and nothing of the call is logged."""
        refused: Sequence[tuple[Callable[[], object], str]] = (
            (lambda: tracker.log_params({"a": 1, "a$": 1}), r"param 'a\$': a name has letters"),
            (lambda: tracker.log_metrics({"b": 1, "c": "x"}), "metric 'c': 'x' is no number"),  # type: ignore[dict-item]
            (lambda: tracker.log_artifact("away.txt"), "no file or folder 'away.txt'"),
            (lambda: tracker.log_artifact(".", "../up"), "should lie below the run's own files"),
        )
        with tracker.start_run() as run:
            for call, message in refused:
                with pytest.raises(errors.InvalidRunError, match=message):
                    call()
            tracker.log_params({"depth": 1})
            with pytest.raises(errors.InvalidRunError, match="'depth': the param is '1' already"):
                tracker.log_params({"depth": 2})

        data = client.get_run(run.run_id).data
        assert (data.params, data.metrics) == ({"depth": "1"}, {})

    def test_names_of_runs_and_experiments(self, uri: str, tracker: MLflowTracker) -> None:
        """A name that cannot be kept is refused before anything is made."""
        with pytest.raises(errors.InvalidExperimentError, match="its name is empty"):
            MLflowTracker(" ", tracking_uri=uri)
        with (
            pytest.raises(errors.InvalidRunError, match="its name is empty"),
            tracker.start_run(""),
        ):
            pass
        with pytest.raises(errors.StoreAddressError):
            MLflowTracker("fraud", tracking_uri="ftp://host")

    def test_a_deleted_experiment_takes_no_runs(
        self, tracker: MLflowTracker, client: MlflowClient
    ) -> None:
        """It is named, and not restored behind anybody's back."""
        client.delete_experiment(client.create_experiment("fraud"))

        with pytest.raises(errors.ExperimentDeletedError, match="'fraud'"), tracker.start_run():
            pass

    def test_models_that_cannot_be_logged(
        self, tracker: MLflowTracker, client: MlflowClient
    ) -> None:
        """The kind, the name, the example and the fit are looked at before anything is sent."""
        model = LogisticRegression().fit(ROWS, LABELS)
        with tracker.start_run() as run:
            with pytest.raises(errors.UnknownFlavourError, match=r"object of builtins\.dict"):
                tracker.log_model({})
            with pytest.raises(errors.InvalidModelError, match="'a/b'"):
                tracker.log_model(model, "a/b")
            with pytest.raises(errors.ModelNotLoggedError, match="NotFittedError"):
                tracker.log_model(LogisticRegression(), input_example=ROWS)
            with pytest.raises(errors.ModelNotLoggedError, match="should be a table"):
                tracker.log_model(model, input_example=[1, 2])

        assert client.search_logged_models([run.experiment_id]) == []

    def test_what_is_not_there(self, tracker: MLflowTracker) -> None:
        """Models, versions, stages, runs and kinds that do not exist are told by name."""
        log_one(tracker)
        tracker.register_model("model", "house")
        for call, kind, message in (
            (
                lambda: tracker.register_model("other", "house"),
                errors.ModelFilesNotFoundError,
                "'other'",
            ),
            (lambda: tracker.register_model("model", "a/b"), errors.InvalidModelError, "a/b"),
            (
                lambda: tracker.register_model("model", "x", "Live"),
                errors.UnknownStageError,
                "'Live'",
            ),
            (lambda: tracker.load_model("house", "Live"), errors.UnknownStageError, "'Production'"),
            (lambda: tracker.load_model("away"), errors.ModelNotFoundError, "these are: 'house'"),
            (lambda: tracker.load_model("house", "Staging"), errors.UnknownVersionError, "STAGING"),
            (lambda: tracker.compare_runs(["a" * 32]), errors.RunNotFoundError, "a" * 32),
            (lambda: tracker.autolog(["torch"]), errors.UnknownFlavourError, "'torch'"),
        ):
            with pytest.raises(kind, match=message):
                call()

    def test_a_kind_whose_package_is_missing(
        self, tracker: MLflowTracker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The error says what to install."""
        # To Python, this is a package that is not there.
        monkeypatch.setitem(sys.modules, "xgboost", None)
        with pytest.raises(errors.FlavourNotInstalledError, match="pip install xgboost"):
            tracker.autolog(["xgboost"])
