"""Schemathesis makes up operations from the schema, and no answer is a failure of the server."""

import base64
import json
import os
import subprocess
import venv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parents[2] / ".cache" / "schemathesis"
"""It has an environment of its own, so that its plugins for pytest and its versions stay there."""

EXAMPLES = 60
"""How many documents are made up for each field of the root."""

REFUSED = "GraphQL server error"
"""What Schemathesis calls each error with a path, also the expected ones with a code of ours."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one made-up document.

    Attributes:
        field: The field of the root, such as ``Query.models``.
        document: What was sent.
        status: The status of the answer.
        codes: The codes of its errors; None stands for an error without one.
        failures: What Schemathesis says against it.
    """

    field: str
    document: str
    status: int
    codes: frozenset[str | None]
    failures: frozenset[str]


@pytest.fixture(scope="session")
def program() -> Path:
    """Install what the lock file names, unless that was done since it changed."""
    lock, installed = HERE / "requirements.lock", ENVIRONMENT / "installed.lock"
    folder = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
    if not installed.exists() or installed.read_text() != lock.read_text():
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        install: list[str | Path] = [
            folder / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "-r",
            lock,
        ]
        subprocess.run(install, check=True)
        installed.write_text(lock.read_text())
    return folder / "schemathesis"


def events(program: Path, url: str, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run Schemathesis against an endpoint, and return what it reports."""
    report = folder / "events.ndjson"
    command: list[str | Path] = [
        program, "run", url, "--checks", "not_a_server_error", "--continue-on-failure",
        "--seed", "20", "--generation-database", "none", "--no-shrink", "--no-color",
        "--max-examples", str(EXAMPLES), "--report", "ndjson",
        "--report-ndjson-path", report, "--output-sanitize", "false",
    ]  # fmt: skip
    environ = {**os.environ, "SCHEMATHESIS_HOOKS": "scalars", "PYTHONPATH": str(HERE)}
    run = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=240, check=False
    )
    # 1 says that a check failed; which one is in the report.
    assert run.returncode in (0, 1), run.stdout + run.stderr
    for line in report.read_text().splitlines():
        yield from json.loads(line).items()


def answers(scenario: dict[str, Any]) -> Iterator[Answer]:
    """Return the answers in the report of a scenario."""
    recorder = scenario["recorder"]
    for key, interaction in recorder["interactions"].items():
        response = interaction["response"]
        document = str(recorder["cases"][key]["value"]["body"])
        assert response is not None, f"no answer to {document}"
        text = base64.b64decode(response["content"]["$base64"])
        yield Answer(
            field=recorder["label"],
            document=document,
            status=response["status_code"],
            codes=_codes(text) if response["status_code"] < 500 else frozenset(),
            failures=frozenset(
                check["failure_info"]["failure"]["title"]
                for check in recorder["checks"].get(key, [])
                if check["status"] == "failure"
            ),
        )


def _codes(text: bytes) -> frozenset[str | None]:
    errors = json.loads(text).get("errors", [])
    return frozenset(error.get("extensions", {}).get("code") for error in errors)


def test_no_made_up_document_makes_the_server_fail(
    program: Path, server_url: str, tmp_path: Path
) -> None:
    reported = list(events(program, f"{server_url}/graphql", tmp_path))
    scenarios = [event for name, event in reported if name == "ScenarioFinished"]
    made_up = [answer for scenario in scenarios for answer in answers(scenario)]
    wrong = [
        answer
        for answer in made_up
        if answer.status >= 500
        or answer.codes & {None, "INTERNAL"}
        or not answer.failures <= {REFUSED}
    ]

    assert [event for name, event in reported if name.endswith("Error")] == []
    assert wrong == []
    sent = Counter(answer.field for answer in made_up)
    assert {"Query.predict", "Query.predictRows", "Mutation.deploymentUpdate"} <= set(sent)
    assert sent.total() >= 500, sent
    # Documents that only fail validation would show little.
    assert sum(not answer.codes for answer in made_up) >= 100
