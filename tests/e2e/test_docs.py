"""The examples of the README and the documentation, executed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

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

    answer = httpx2.post(f"{server_url}/graphql", json=body).json()

    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values())


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
    (script,) = (block.values[0] for block in examples("python"))
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_to_a_page_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).is_file()] == []
