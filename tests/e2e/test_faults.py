"""What goes wrong with one model, and what the others and the callers see of it."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import mlflow
import pandas as pd
import psutil
import pytest
from mlflow import MlflowClient, pyfunc
from mlflow.artifacts import download_artifacts
from mlflow.models import infer_signature

from gql_platform.adapters.mlflow import embedded
from gql_platform.adapters.sql import sqlite_file
from tests.e2e.faulty import Fault, Faulty
from tests.e2e.server import ServerProcess, graphql, running_server

PROMOTE = """
    mutation Promote($input: ModelVersionPromoteInput!) {
      modelVersionPromote(input: $input) {
        __typename
        ... on UserError { code message }
      }
    }
"""
UPDATE = """
    mutation Update($input: DeploymentUpdateInput!) {
      deploymentUpdate(input: $input) {
        __typename
        ... on UserError { code message }
      }
    }
"""
SERVED = """
    query Served($model: String!) {
      deployment(model: $model) {
        variants { served { version placement } candidate { version reason } }
      }
    }
"""
SETTINGS = {
    "GQL_PLATFORM_PREDICT_TIMEOUT_SECONDS": "6",
    "GQL_PLATFORM_MODEL_MEMORY_MB": "4096",
    "GQL_PLATFORM_REGISTRY_POLL_SECONDS": "3600",
}
GOOD = 21.0
PATIENCE_SECONDS = 60
"""How long a model may be without a process; on a busy machine its packages load slowly."""


@dataclass(frozen=True)
class House:
    """A server, and the registry that it follows.

    Attributes:
        server: The server.
        registry: A client of its registry.
        folder: Its data folder.
    """

    server: ServerProcess
    registry: MlflowClient
    folder: Path

    def answer(self, model: str, *numbers: float) -> tuple[int, Any]:
        """Return the status of a prediction, and its body."""
        rows = [[number] for number in numbers]
        response = httpx2.post(
            f"{self.server.url}/predict/{model}", json={"inputs": rows}, timeout=60
        )
        return response.status_code, response.json()

    def value(self, model: str) -> float:
        """Return what a model answers to a good row."""
        status, body = self.answer(model, GOOD)
        assert status == 200, body
        return float(body["predictions"][0]["value"])

    def value_in_the_end(self, model: str) -> float:
        """Return what a model answers as soon as its process is started anew, which is in time."""
        until = time.monotonic() + PATIENCE_SECONDS
        status, body = self.answer(model, GOOD)
        while status != 200 and time.monotonic() < until:
            assert body["code"] in ("PREDICTION_FAILED", "PREDICTION_TIMEOUT"), body
            status, body = self.answer(model, GOOD)
        assert status == 200, body
        return float(body["predictions"][0]["value"])

    def served(self, model: str) -> dict[str, Any]:
        """Return the only variant of a model."""
        found = graphql(self.server.url, SERVED, model=model)
        (variant,) = found["deployment"]["variants"]
        return dict(variant)

    def register(self, model: str) -> int:
        """Register a further version of a model, and return its number."""
        with mlflow.start_run(experiment_id=self._experiment()) as run:
            rows = pd.DataFrame({"x": [1.0, 2.0]})
            logged = pyfunc.log_model(
                name="model",
                python_model=Faulty(),
                signature=infer_signature(rows, 2 * rows["x"].to_numpy()),
                input_example=rows,
                pip_requirements=["mlflow-skinny"],
            )
        version = self.registry.create_model_version(model, logged.model_uri, run.info.run_id)
        return int(version.version)

    def files_of(self, model: str, version: int) -> Path:
        """Return the folder with a version's files."""
        uri = self.registry.get_model_version_download_uri(model, str(version))
        return Path(download_artifacts(uri))

    def _experiment(self) -> str:
        found = self.registry.get_experiment_by_name("faults")
        if found is not None:
            return str(found.experiment_id)
        place = (self.folder / "artifacts" / "faults").as_uri()
        return str(self.registry.create_experiment("faults", artifact_location=place))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Serve two models alike: to one of them things happen, the other is to answer all the time."""
    folder = tmp_path_factory.mktemp("faults")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    sqlite_file.prepare(uri, data_dir=folder)
    embedded.create_tables(uri, artifact_root=(folder / "artifacts").as_uri())
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    registry = MlflowClient(uri, uri)
    filled = House(ServerProcess(None), registry, folder)  # type: ignore[arg-type]
    for model in ("faulty", "steady"):
        registry.create_registered_model(model)
        number = filled.register(model)
        registry.set_registered_model_alias(model, "champion", str(number))
    with running_server(folder, environ=SETTINGS) as server:
        for _ in ("faulty", "steady"):
            server.wait_for(r'"event":"process_started"')
            server.wait_for(r'"event":"model_improved"')
        yield House(server, registry, folder)
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


@pytest.mark.parametrize(
    ("fault", "status", "code", "reason"),
    [
        (Fault.RAISE, 500, "PREDICTION_FAILED", "it refused the values"),
        (Fault.HANG, 504, "PREDICTION_TIMEOUT", "within 6"),
        (Fault.FORGET_A_ROW, 500, "PREDICTION_FAILED", "1 answers for 2 rows"),
        (Fault.EAT_MEMORY, 500, "PREDICTION_FAILED", "MemoryError"),
        (Fault.DIE, 500, "PREDICTION_FAILED", "died"),
    ],
)
def test_fault_is_told_and_passes(
    house: House, fault: Fault, status: int, code: str, reason: str
) -> None:
    """The request fails with what happened; the next one, and the other model, do not."""
    found, body = house.answer("faulty", fault, 1.0)
    assert (found, body["code"]) == (status, code)
    assert reason in body["detail"]
    assert house.value("steady") == 2 * GOOD
    assert house.value_in_the_end("faulty") == 2 * GOOD


def test_not_a_number_is_an_answer_that_fails(house: House) -> None:
    """JSON has no word for it, and a caller must not take it for a value."""
    status, body = house.answer("faulty", Fault.NOT_A_NUMBER)
    assert (status, body["code"]) == (500, "PREDICTION_FAILED")
    assert house.value("faulty") == 2 * GOOD


def test_killed_process_is_started_anew(house: House) -> None:
    """Requests at work when somebody kills a model's process are answered by the next one."""
    server = psutil.Process(house.server.process.pid)
    for child in server.children():
        child.kill()
    assert house.value_in_the_end("faulty") == house.value_in_the_end("steady") == 2 * GOOD


def test_corrupt_files_leave_the_old_version_serving(house: House) -> None:
    """The promotion is refused, and the next one of a whole version is not."""
    broken, whole = house.register("faulty"), house.register("faulty")
    before = house.served("faulty")["served"]["version"]
    (house.files_of("faulty", broken) / "python_model.pkl").write_bytes(b"no pickle")

    refused = _promote(house, broken)
    assert refused["code"] == "MODEL_LOAD_FAILED"
    assert house.served("faulty")["served"]["version"] == before
    assert house.registry.get_model_version_by_alias("faulty", "champion").version == before
    assert house.value("faulty") == 2 * GOOD

    assert _promote(house, whole)["__typename"] == "DeploymentChange"
    assert house.served("faulty")["served"]["version"] == whole


def test_files_that_are_gone_leave_the_old_version_serving(house: House) -> None:
    """A version without files cannot take over."""
    number = house.register("faulty")
    shutil.rmtree(house.files_of("faulty", number))
    refused = _promote(house, number)
    assert refused["code"] in ("MODEL_LOAD_FAILED", "MODEL_UNSUPPORTED")
    assert house.value("faulty") == 2 * GOOD


def test_two_promotions_at_once(house: House) -> None:
    """Both are answered, and the registry names the version that serves."""
    numbers = [house.register("faulty"), house.register("faulty")]

    async def both() -> list[Any]:
        async with httpx2.AsyncClient(timeout=60) as client:
            asked = [
                client.post(
                    f"{house.server.url}/graphql",
                    json={
                        "query": PROMOTE,
                        "variables": {"input": {"model": "faulty", "version": number}},
                    },
                )
                for number in numbers
            ]
            return [each.json()["data"] for each in await asyncio.gather(*asked)]

    answers = [each["modelVersionPromote"]["__typename"] for each in asyncio.run(both())]
    assert set(answers) <= {"DeploymentChange", "ConflictError"}
    assert "DeploymentChange" in answers
    named = house.registry.get_model_version_by_alias("faulty", "champion").version
    assert house.served("faulty")["served"]["version"] == int(named)
    assert int(named) in numbers
    assert house.value("faulty") == 2 * GOOD


@pytest.mark.parametrize(
    ("variants", "complaint"),
    [
        ([("a", 1, -1.0)], "weight"),
        ([("a", 1, 0.0)], "weight"),
        ([("a", 1, 1.0), ("a", 1, 1.0)], "a"),
        ([("a", 999, 1.0)], "999"),
        ([], "variant"),
    ],
)
def test_plan_that_cannot_be_is_refused(
    house: House, variants: list[tuple[str, int, float]], complaint: str
) -> None:
    """Weights, names and versions that make no sense change nothing."""
    before = house.served("faulty")
    given = [
        {"name": name, "version": {"number": version}, "weight": weight}
        for name, version, weight in variants
    ]
    answer = graphql(house.server.url, UPDATE, input={"model": "faulty", "variants": given})[
        "deploymentUpdate"
    ]
    assert answer["__typename"].endswith("Error")
    assert complaint in answer["message"]
    assert house.served("faulty") == before


def _promote(house: House, version: int) -> dict[str, Any]:
    given = {"model": "faulty", "version": version}
    return dict(graphql(house.server.url, PROMOTE, input=given)["modelVersionPromote"])
