"""Two servers over one database: what is changed on one is followed on the other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.server import running_server
from tests.postgresql import PostgreSQL

PROMOTE = """
    mutation ($alias: String!, $key: String) {
      modelVersionPromote(
        input: {model: "wine", version: 1, alias: $alias, idempotencyKey: $key}
      ) { __typename }
    }
"""
FOLLOW = """
    subscription ($after: Int64) {
      eventAppended(afterSequence: $after) { event { sequence actor data } lagged skippedCount }
    }
"""


def promote(url: str, alias: str, *, key: str | None = None) -> None:
    """Point an alias, which is an event."""
    body = {"query": PROMOTE, "variables": {"alias": alias, "key": key}}
    answer = httpx2.post(f"{url}/graphql", json=body, timeout=60).json()
    assert answer["data"] == {"modelVersionPromote": {"__typename": "DeploymentChange"}}


def followed(url: str, after: int, aliases: list[str]) -> list[tuple[int, str]]:
    """Follow over server-sent events until so many have come."""
    body = {"query": FOLLOW, "variables": {"after": after}}
    headers = {"accept": "text/event-stream"}
    found: list[tuple[int, str]] = []
    with httpx2.stream(
        "POST", f"{url}/graphql", json=body, headers=headers, timeout=60
    ) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                delivery = _delivery(line)
                event = delivery["event"]
                assert (delivery["lagged"], delivery["skippedCount"]) == (False, 0)
                found.append((event["sequence"], event["data"]["alias"]))
            if len(found) == len(aliases):
                break
    return found


def _delivery(line: str) -> dict[str, Any]:
    answer = json.loads(line.removeprefix("data: "))
    delivery: dict[str, Any] = answer.get("payload", answer)["data"]["eventAppended"]
    return delivery


@pytest.fixture(params=["sqlite", "postgresql"])
def environ(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Where the servers keep their tables: beside the registry, or in a PostgreSQL."""
    if request.param == "sqlite":
        yield {}
        return
    with PostgreSQL() as server:
        yield {"GQL_PLATFORM_DATABASE_URL": server.new_database()}


def test_servers_see_each_others_changes_in_one_order(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    aliases = ["first", "second", "third", "fourth"]
    expected = list(enumerate(aliases, start=1))
    with (
        running_server(tmp_path, "--demo", environ=environ) as here,
        running_server(tmp_path, environ=environ) as there,
    ):
        for place, alias in enumerate(aliases):
            promote((here, there)[place % 2].url, alias)
        for each in (here, there):
            assert followed(each.url, 0, aliases) == expected
        # A request that is sent again to another server is not done again.
        for each in (here, there):
            promote(each.url, "fifth", key="once")
        promote(there.url, "sixth")
        assert followed(here.url, 4, ["fifth", "sixth"]) == [(5, "fifth"), (6, "sixth")]
    with running_server(tmp_path, environ=environ) as again:
        assert followed(again.url, 2, ["third", "fourth"]) == expected[2:]
