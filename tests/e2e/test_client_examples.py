"""The examples of the page on other servers' clients, executed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "call-from-other-clients.md"
TEXT = PAGE.read_text(encoding="utf-8")
PROGRAM = re.compile(r"^```py\n(.*?)^```.*?^```text\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^```bash\n(curl .*?)^```", re.DOTALL | re.MULTILINE)
LOCAL = "127.0.0.1:8000"


@pytest.mark.parametrize(("program", "output"), PROGRAM.findall(TEXT), ids=["triton", "mlflow"])
def test_a_program_prints_what_the_page_says(server_url: str, program: str, output: str) -> None:
    address = server_url.removeprefix("http://")
    ran = subprocess.run(
        [sys.executable, "-c", program.replace(LOCAL, address)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
    )

    assert ran.stdout == output


@pytest.mark.parametrize("command", COMMAND.findall(TEXT), ids=["infer"])
def test_tensors_sent_with_curl_are_answered(server_url: str, command: str) -> None:
    _, url, _, header, _, body = shlex.split(command.replace("\\\n", " "))
    name, _, value = header.partition(": ")

    response = httpx2.post(
        url.replace(LOCAL, server_url.removeprefix("http://")), content=body, headers={name: value}
    )

    assert response.json()["id"] == "42"
    assert [output["name"] for output in response.json()["outputs"]] == ["value"]
