"""The main job, against the real process: from an empty folder to predictions."""

import json
import signal
import socket
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sklearn.datasets import load_breast_cancer
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from gql_platform.contract import OperationDocument, operations
from gql_platform.server import SHUTDOWN_SECONDS
from tests.e2e.server import ServerProcess, graphql, running_server, starting_server

DEMO_MODELS = ["breast_cancer", "diabetes", "wine"]


def variables_of(operation: OperationDocument) -> dict[str, object]:
    """Return the example variables of an operation."""
    return operation.variables or {}


@pytest.mark.parametrize(
    "operation",
    [each for each in operations() if not each.text.partition("\n")[2].startswith("subscription")],
    ids=lambda operation: operation.name,
)
def test_each_operation_answers_with_real_data(
    server_url: str, operation: OperationDocument
) -> None:
    data = graphql(server_url, operation.text, **variables_of(operation))

    assert all(value is not None for value in data.values())


def test_the_models_show_where_they_come_from(server_url: str) -> None:
    models = next(each for each in operations() if each.name == "Models")
    data = graphql(server_url, models.text)
    found = {model["name"]: model for model in data["models"]["nodes"]}

    assert sorted(found) == DEMO_MODELS
    for model in found.values():
        version = model["servingVersion"]
        assert model["aliases"] == [{"name": "champion", "version": 1}]
        assert version["flavour"] == "sklearn"
        assert version["sizeBytes"] > 1000
        assert version["run"]["state"] == "FINISHED"
        assert version["run"]["params"]
    cancer = found["breast_cancer"]["servingVersion"]
    assert len(cancer["signature"]["inputs"]) == 30
    assert {"name": "mean radius", "type": "DOUBLE", "required": True} in (
        cancer["signature"]["inputs"]
    )
    accuracy = next(m["value"] for m in cancer["metrics"] if m["key"] == "accuracy")
    assert accuracy > 0.95


def test_typed_and_untyped_and_rest_predictions_agree(server_url: str) -> None:
    rows = load_breast_cancer(as_frame=True).data.head(50)
    records = rows.to_dict(orient="records")
    query = """query ($rows: Rows!) { predictRows(model: "breast_cancer", rows: $rows) {
        predictions { ... on ClassPrediction { label probability } } } }"""
    typed_query = """query ($rows: [BreastCancerRow!]!) { predict { breastCancer(rows: $rows) {
        predictions { label probability } } } }"""
    names = _field_names(server_url)
    typed_rows = [{names[column]: value for column, value in row.items()} for row in records]

    untyped = graphql(server_url, query, rows=records)["predictRows"]["predictions"]
    typed = graphql(server_url, typed_query, rows=typed_rows)["predict"]["breastCancer"]
    rest = httpx2.post(
        f"{server_url}/predict/breast_cancer", json={"inputs": rows.to_numpy().tolist()}
    ).json()

    assert typed["predictions"] == untyped
    assert [
        {"label": each["label"], "probability": each["probability"]} for each in rest["predictions"]
    ] == untyped
    targets = load_breast_cancer().target[:50]
    truth = ["malignant" if target == 0 else "benign" for target in targets]
    right = sum(each["label"] == label for each, label in zip(untyped, truth, strict=True))
    assert right >= 48


def _field_names(url: str) -> dict[str, str]:
    """Return the field of each column, from the descriptions in the schema."""
    query = '{ __type(name: "BreastCancerRow") { inputFields { name description } } }'
    fields = graphql(url, query)["__type"]["inputFields"]
    return {field["description"].split("`")[1]: field["name"] for field in fields}


def test_the_live_metrics_follow_the_traffic(server_url: str) -> None:
    subscription = next(each for each in operations() if each.name == "LiveMetrics")
    with connect(
        server_url.replace("http", "ws") + "/graphql",
        subprotocols=[Subprotocol("graphql-transport-ws")],
    ) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(socket.recv(10)) == {"type": "connection_ack"}
        payload = {
            "query": subscription.text,
            "variables": {"model": "wine", "intervalSeconds": 0.1},
        }
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        before = _next_sample(socket.recv(10))
        httpx2.post(f"{server_url}/predict/wine", json={"inputs": [[1.0] * 13]}).raise_for_status()
        httpx2.post(f"{server_url}/predict/wine", json={"inputs": [[1.0]]})
        after = _next_sample(socket.recv(10))
        while after["requestCount"] < before["requestCount"] + 2 or after["inFlight"]:
            after = _next_sample(socket.recv(10))

    assert after["requestCount"] == before["requestCount"] + 2
    assert after["errorCount"] == before["errorCount"] + 1
    assert 0 < after["latency"]["p50Ms"] <= after["latency"]["p95Ms"] <= after["latency"]["p99Ms"]


def _next_sample(message: str | bytes) -> dict[str, Any]:
    sample: dict[str, Any] = json.loads(message)["payload"]["data"]["liveMetrics"]["models"][0]
    return sample


def test_the_rest_paths_answer(server_url: str) -> None:
    listed = httpx2.get(f"{server_url}/models").json()
    info = httpx2.get(f"{server_url}/models/wine/info").json()
    metrics = httpx2.get(f"{server_url}/metrics").text

    assert [model["model"] for model in listed["models"]] == DEMO_MODELS
    assert {model["state"] for model in listed["models"]} == {"READY"}
    assert info["served"]["labels"] == ["class_0", "class_1", "class_2"]
    assert [version["version"] for version in info["versions"]] == [1]
    assert 'gql_platform_model_up{model="wine",version="1"} 1.0' in metrics
    for path in ("/health", "/health/live", "/health/ready"):
        assert httpx2.get(server_url + path).json()["state"] == "HEALTHY"


def test_a_second_start_keeps_the_data_and_ends_cleanly(tmp_path: Path) -> None:
    with running_server(tmp_path, "--demo") as first:
        query = "{ models { nodes { name createdAt servingVersion { version } } } }"
        before = graphql(first.url, query)
    with running_server(tmp_path, "--demo") as second:
        after = graphql(second.url, query)
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(timeout=30) == 0

    assert after == before
    assert not any(event["event"] == "demo_models_registered" for event in second.events())
    assert not any(line.startswith("Traceback") for line in first.lines + second.lines)
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        assert database.execute("pragma journal_mode").fetchone() == ("wal",)
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_registry_that_hangs_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environ = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with starting_server(tmp_path, environ=environ) as server:
            # Somebody has asked it by now, and will never hear.
            connection, _ = silent.accept()
            started = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=30) == 0
            seconds = time.monotonic() - started
            connection.close()

    assert seconds < SHUTDOWN_SECONDS + 3
    assert not any("Traceback" in line for line in server.lines)


def test_nothing_unexpected_was_logged(server: ServerProcess) -> None:
    assert [event for event in server.events() if event["level"] in ("error", "critical")] == []
