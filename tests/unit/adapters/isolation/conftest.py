"""Predictors in real processes, none of which outlives its test."""

import os
import select
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from gql_platform.adapters.isolation.isolation import ProcessIsolation
from gql_platform.adapters.isolation.predictor import IsolatedPredictor
from gql_platform.serving.ports import Predictor
from tests.unit.adapters.mlflow.versions import version_of

Isolate = Callable[..., Awaitable[IsolatedPredictor]]

PATIENCE_SECONDS = 30
"""How long a test waits for what takes milliseconds."""


@pytest.fixture
async def isolate() -> AsyncIterator[Isolate]:
    """Isolate a predictor as version 3 of ``sums``, with settings of `ProcessIsolation`."""
    made: list[Predictor] = []

    async def isolated(predictor: Predictor, **settings: Any) -> IsolatedPredictor:
        found = await ProcessIsolation(**settings).isolated(version_of("sums", 3), predictor)
        assert isinstance(found, IsolatedPredictor)
        made.append(found)
        return found

    yield isolated
    for predictor in made:
        predictor.close()
    join_ends()


@pytest.fixture
def started() -> Callable[[], set[int]]:
    """Return the processes started since the test began that are there still, by number."""
    there = {child.pid for child in psutil.Process().children()}
    return lambda: {child.pid for child in psutil.Process().children()} - there


@pytest.fixture
def pipes(tmp_path: Path) -> tuple[Path, Path]:
    """Two named pipes: where a model says that it is there, and what it waits for."""
    arrived, gate = tmp_path / "arrived", tmp_path / "gate"
    os.mkfifo(arrived)
    os.mkfifo(gate)
    return arrived, gate


def join_ends() -> None:
    """Wait for the processes of the predictors that were closed."""
    for thread in threading.enumerate():
        if thread.name.startswith("end-of-"):
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


def ends(descriptor: int) -> bool:
    """Return whether the process of a descriptor ends while the test waits."""
    readable, _, _ = select.select([descriptor], [], [], PATIENCE_SECONDS)
    os.close(descriptor)
    return bool(readable)
