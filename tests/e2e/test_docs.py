"""The examples of the README and the documentation, executed."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import joblib
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from gql_platform.contract import operations
from tests.e2e.server import running_server

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)")
LOCAL = "http://127.0.0.1:8000"


def examples(language: str) -> list[Any]:
    """Return the code blocks of a language, each with the page that it stands on."""
    return [
        pytest.param(match[2], id=f"{page.relative_to(ROOT)}:{number}")
        for page in PAGES
        for number, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")))
        if match[1] == language
    ]


def scripts_of(page: str) -> list[str]:
    """Return the Python programs on a page."""
    found = (block for block in examples("python") if str(block.id).startswith(f"{page}:"))
    return [str(block.values[0]) for block in found]


def curl_commands() -> list[Any]:
    """Return the calls of curl in the shell examples."""
    return [
        pytest.param(command, id=block.id)
        for block in examples("sh")
        for command in block.values[0].replace("\\\n", " ").splitlines()
        if command.startswith("curl ")
    ]


@pytest.mark.parametrize("document", examples("graphql"))
def test_a_graphql_example_answers(server_url: str, document: str) -> None:
    example = next(each.variables for each in operations() if each.name == "Predict")
    assert example is not None
    body = {"query": document, "variables": {"rows": example["wine"]}}

    answer = answer_of(f"{server_url}/graphql", body)

    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values())


def answer_of(url: str, body: dict[str, Any]) -> Any:
    """Return the answer to a query or mutation, or the first event of a subscription."""
    if not body["query"].startswith("subscription"):
        return httpx2.post(url, json=body).json()
    headers = {"Accept": "text/event-stream"}
    with httpx2.stream("POST", url, json=body, headers=headers, timeout=30) as response:
        data = (line for line in response.iter_lines() if line.startswith("data:"))
        return json.loads(next(data).removeprefix("data:"))


@pytest.mark.parametrize("command", curl_commands())
def test_a_call_of_curl_answers(server_url: str, command: str) -> None:
    _, url, *options = shlex.split(command)
    given = dict(zip(options[::2], options[1::2], strict=True))
    name, _, value = given["-H"].partition(": ")

    response = httpx2.post(
        url.replace(LOCAL, server_url), content=given["-d"], headers={name: value}
    )

    assert response.status_code == 200
    assert response.json()["predictions"]


def test_the_quickstart_serves_a_model_of_ones_own(tmp_path: Path) -> None:
    (script,) = scripts_of("docs/quickstart.md")
    (tmp_path / "data").mkdir()
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
    )
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    with running_server(tmp_path / "data") as server:
        query = """{ predict { iris(rows: [{
            sepalLengthCm: 5.1, sepalWidthCm: 3.5, petalLengthCm: 1.4, petalWidthCm: 0.2
        }]) { version predictions { label probability } } } }"""
        answer = httpx2.post(f"{server.url}/graphql", json={"query": query}).json()

    (prediction,) = answer["data"]["predict"]["iris"]["predictions"]
    assert prediction["label"] == "0"
    assert prediction["probability"] > 0.9


def test_a_program_serves_models_in_files(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    rows = pd.DataFrame({"amount": [10.0, 900.0], "age": [5.0, 1.0]})
    joblib.dump(LogisticRegression().fit(rows, ["no", "yes"]), tmp_path / "models/fraud.pkl")
    homes = pd.DataFrame({"colour": ["red", "blue"], "area": [100.0, 90.0]})
    encoded = make_column_transformer((OneHotEncoder(), ["colour"]), remainder="passthrough")
    price = make_pipeline(encoded, LinearRegression()).fit(homes, [1.0, 2.0])
    skops.io.dump(price, tmp_path / "models/price.skops")
    first, second = scripts_of("docs/howto/serve-model-files.md")
    begin, end = first.replace("port=8000", "port=0, log_level='error'").split("server.start()")
    check = """
import json, time, urllib.error, urllib.request
with server:
    ready = f"{server.url}/health/ready"
    for _ in range(600):
        try:
            urllib.request.urlopen(ready); break
        except urllib.error.HTTPError:
            time.sleep(0.1)
    models = json.load(urllib.request.urlopen(f"{server.url}/models"))["models"]
print([(each["model"], each["state"]) for each in models])
"""
    ran = subprocess.run(
        [sys.executable, "-c", begin + second + end + check],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.stdout == "[('fraud', 'READY'), ('price', 'READY')]\n"


def test_a_program_logs_a_run_and_registers_a_model(tmp_path: Path) -> None:
    """The programs of the page run as they stand, against a server that nobody else reads."""
    found: dict[str, Any] = {}
    with running_server(tmp_path, "--demo") as server:
        for script in scripts_of("docs/howto/log-runs.md"):
            exec(script.replace(LOCAL, server.url), found)  # noqa: S102 - it is our documentation

    (refused,) = found["logged"].pop("refused")
    assert found["logged"] == {"paramCount": 1, "metricCount": 2}
    assert (refused["kind"], refused["index"], refused["code"]) == ("METRIC", 2, "INVALID_VALUE")
    metric = {"key": "loss", "value": None, "exactValue": "NaN", "step": 1}
    assert found["finished"] == {"state": "FINISHED", "metrics": [metric]}
    expected = {"version": 2, "stage": "NONE", "description": "The same again."}
    assert found["registered"] == expected


def test_a_program_tracks_its_runs_and_a_server_serves_its_model(tmp_path: Path) -> None:
    """The programs of the page run one after the other, and say nothing else."""
    script = "".join(scripts_of("docs/howto/track-from-python.md"))
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    said = "cellar_wine 1 ('champion',)\nTrue\n['alpha']\n"
    assert (ran.stdout, ran.stderr) == (said, "")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    with running_server(tmp_path / "data") as server:
        models = httpx2.get(f"{server.url}/models").json()["models"]

    assert [(each["model"], each["version"], each["state"]) for each in models] == [
        ("cellar_wine", 1, "READY")
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_to_a_page_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).is_file()] == []
