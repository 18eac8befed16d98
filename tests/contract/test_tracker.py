"""What a program tracks, whatever MLflow keeps it in."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression

from gql_platform import MLflowTracker, errors
from gql_platform.registry.records import CHAMPION, Stage, VersionRef
from gql_platform.tracking.records import Param, RunState
from tests.contract.conftest import new_store

pytestmark = pytest.mark.slow

ROWS = pd.DataFrame({"amount": [10.0, 20.0, 800.0, 900.0] * 6, "hour": [1, 2, 3, 4] * 6})
LABELS = np.array([0, 0, 1, 1] * 6)


@pytest.fixture(scope="module", params=["mlflow_sqlite", "mlflow_server"])
def uri(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of each store in turn; each test has an experiment and a model of its own."""
    with new_store(request, tmp_path_factory.mktemp("tracked")) as uri:
        yield uri


@pytest.fixture
def tracker(
    uri: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MLflowTracker:
    """A tracker over it, whose data folder and working folder are the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GQL_PLATFORM_DATA_DIR", str(tmp_path / "data"))
    return MLflowTracker(request.node.name, tracking_uri=uri)


@pytest.fixture
def client(uri: str) -> MlflowClient:
    """MLflow's own client of the store."""
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def test_run_with_its_model_is_tracked_registered_and_loaded(
    tracker: MLflowTracker,
    client: MlflowClient,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Params, metrics, tags, files and the model are there, and nothing is told on the side."""
    (tmp_path / "note.txt").write_text("hello")
    model = LogisticRegression().fit(ROWS, LABELS)
    with caplog.at_level(logging.WARNING):
        with tracker.start_run("first", tags={"team": "risk"}) as run:
            tracker.log_params({"depth": 3})
            for step, value in enumerate((0.5, float("nan"), float("inf"))):
                tracker.log_metrics({"loss": value}, step=step)
            tracker.log_artifact(tmp_path / "note.txt", "notes")
            logged = tracker.log_model(model, input_example=ROWS)
        version = tracker.register_model("model", "whole path")
        again = tracker.load_model("whole path")

    (found,) = tracker.compare_runs([run.run_id]).runs
    assert (found.name, found.state) == ("first", RunState.FINISHED)
    assert found.params == (Param("depth", "3"),)
    assert {tag.key: tag.value for tag in found.tags}["team"] == "risk"
    points = client.get_metric_history(run.run_id, "loss")
    assert [point.step for point in points] == [0, 1, 2]
    assert [str(each.value) for each in found.metrics] == ["inf"]
    assert [each.path for each in client.list_artifacts(run.run_id, "notes")] == ["notes/note.txt"]
    assert client.get_logged_model(logged.model_id).status == "READY"
    assert (version.ref, version.stage) == (VersionRef("whole path", 1), Stage.PRODUCTION)
    assert (version.aliases, version.run_id) == ((CHAMPION,), run.run_id)
    assert again.predict(ROWS).tolist() == model.predict(ROWS).tolist()
    assert capfd.readouterr() == ("", "")
    assert [record.getMessage() for record in caplog.records] == []


def test_stages_and_what_is_missing_are_told(tracker: MLflowTracker) -> None:
    """A trial lets nothing else serve, and names that are unknown are errors of ours."""
    with tracker.start_run():
        tracker.log_model(LogisticRegression().fit(ROWS, LABELS), input_example=ROWS)
        tracker.log_params({"a": 1})
        with pytest.raises(errors.InvalidRunError, match="param 'a': the param is '1' already"):
            tracker.log_params({"a": 2})
    tracker.register_model("model", "staged", "None")
    second = tracker.register_model("model", "staged", "Staging")

    assert second.aliases == ("staging",)
    with pytest.raises(errors.ModelFilesNotFoundError, match="'other'"):
        tracker.register_model("other", "staged")
    with pytest.raises(errors.UnknownVersionError, match="ARCHIVED"):
        tracker.load_model("staged", "Archived")
    with pytest.raises(errors.ModelNotFoundError, match="'nobody'"):
        tracker.load_model("nobody")
    with pytest.raises(errors.RunNotFoundError, match="f" * 32):
        tracker.compare_runs(["f" * 32])


def test_models_of_xgboost_log_themselves_and_come_back(
    tracker: MLflowTracker, client: MlflowClient
) -> None:
    """Trainings of both of its interfaces are followed, and a model comes back as it was."""
    tracker.autolog(["xgboost"])
    with tracker.start_run() as boosted:
        table = xgboost.DMatrix(ROWS, LABELS)
        xgboost.train({"eta": 0.25}, table, num_boost_round=3, evals=[(table, "train")])
    with tracker.start_run() as run:
        model = xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(ROWS, LABELS)
        logged = tracker.log_model(model, input_example=ROWS)
    tracker.register_model("model", "boosted")
    again = tracker.load_model("boosted")

    found = client.get_run(boosted.run_id).data
    assert found.params["eta"] == "0.25"
    assert len(client.get_metric_history(boosted.run_id, "train-rmse")) == 3
    assert client.get_run(run.run_id).data.params["max_depth"] == "2"
    assert (logged.flavour, logged.serialization) == ("xgboost", "xgboost")
    assert isinstance(again, xgboost.XGBClassifier)
    assert again.predict_proba(ROWS).tolist() == model.predict_proba(ROWS).tolist()
    assert list(client.get_registered_model("boosted").aliases) == [CHAMPION]
