"""What all tests share."""

import logging
import os
from collections.abc import AsyncIterator, Iterator

import hypothesis
import pytest
import structlog
from coverage import Coverage

from gql_platform.services import Services
from gql_platform.testing import in_memory_services

# MLflow would set up logging of its own, if a test imported it before our adapter does.
os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")

# Every run draws the same examples, and a busy machine fails none of them.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")


LONGEST = (
    *("test_crash.py", "test_differential.py", "test_differential_again.py", "test_smoke.py"),
    *("test_outage.py", "test_fleet.py", "test_schemathesis.py", "test_workers.py"),
)
"""Files of few tests that take a minute or more each, from the longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that in the end nobody waits for one of them alone."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(scope="module")
def untraced() -> Iterator[None]:
    """Measure no coverage: tracing makes thousands of cases several times slower."""
    coverage = Coverage.current()
    if coverage is not None:
        coverage.stop()
    yield
    if coverage is not None:
        coverage.start()


@pytest.fixture(scope="module", autouse=True)
def _own_environment() -> Iterator[None]:
    """Leave the environment as it was: MLflow writes the address that it is given into it, and
    servers that later tests start would follow that.
    """
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module", autouse=True)
def _own_logs() -> Iterator[None]:
    """Leave logging as it was: a server in this process has it write less, and in another form."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    """The example services, with all models loaded."""
    services = in_memory_services()
    await services.deployments.load_all()
    yield services
    await services.close()
