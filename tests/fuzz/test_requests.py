"""Whatever comes in, no answer is a failure of the server, or shows its inside."""

import re

import httpx2
import pytest
from structlog.testing import capture_logs

from tests.app import app_client
from tests.fuzz.requests import Requests

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.usefixtures("untraced")]

CASES = 10_000
INSIDE = re.compile(r"Traceback|site-packages|\.py\b|File \"|Exception|object at 0x")
"""What only the log may say."""


def check(response: httpx2.Response, seed: int) -> None:
    """Check that an answer is no failure, and tells nothing of the inside."""
    assert response.status_code < 500, f"seed {seed}: {response.text}"
    assert not INSIDE.search(response.text), f"seed {seed}: {response.text}"
    assert '"INTERNAL"' not in response.text, f"seed {seed}: {response.text}"


async def test_graphql() -> None:
    """Documents and variables of all kinds are answered or refused."""
    async with app_client() as client:
        with capture_logs() as lines:
            for seed in range(CASES):
                response = await client.post(
                    "/graphql",
                    content=Requests(seed).graphql(),
                    headers={"Content-Type": "application/json"},
                )
                check(response, seed)
    assert [line for line in lines if line["log_level"] == "error"] == []


async def test_rest() -> None:
    """Paths, methods and bodies of all kinds are answered or refused."""
    async with app_client() as client:
        with capture_logs() as lines:
            for seed in range(CASES):
                method, path, body = Requests(seed).rest()
                response = await client.request(
                    method,
                    path,
                    content=body,
                    headers={"Content-Type": "application/json"},
                )
                check(response, seed)
    assert [line for line in lines if line["log_level"] == "error"] == []
