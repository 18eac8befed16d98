"""A worker lives and ends with its server."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from gql_platform.adapters.worker_process import WorkerProcess
from gql_platform.errors import WorkerProcessError
from gql_platform.settings import load_settings

pytestmark = pytest.mark.anyio

WAIT = """
import os, pathlib, sys
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
while sys.stdin.buffer.read(1):
    pass
"""


def running(script: str, *arguments: str) -> WorkerProcess:
    """Return a worker that runs a script."""
    command = (sys.executable, "-c", script, *arguments)
    return WorkerProcess(load_settings(environ={}), command=command)


async def test_it_ends_by_itself() -> None:
    """A worker with nothing to do has ended well."""
    await running("").run()


async def test_it_has_the_settings(tmp_path: Path) -> None:
    """It works on the server's data."""
    script = "import os, sys; sys.exit(os.environ['GQL_PLATFORM_DATA_DIR'] != sys.argv[1])"
    command = (sys.executable, "-c", script, str(tmp_path))
    settings = load_settings({"data_dir": tmp_path}, environ={})
    await WorkerProcess(settings, command=command).run()


async def test_it_says_that_it_cannot_start(capfd: pytest.CaptureFixture[str]) -> None:
    """What is wrong is one line, and the process ends although it waits for its server's end."""
    settings = load_settings({"database_url": "sqlite://"}, environ={})
    with pytest.raises(WorkerProcessError) as raised:
        await WorkerProcess(settings).run()
    assert raised.value.reason == "exit status 1"
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(
        "error: GQL_PLATFORM_DATABASE_URL is 'sqlite://', which cannot be used: "
    )


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import sys; sys.exit(3)", "exit status 3"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL"),
    ],
)
async def test_how_it_ends_is_told(script: str, reason: str) -> None:
    """One that does not end by itself has failed."""
    with pytest.raises(WorkerProcessError, match=reason):
        await running(script).run()


async def test_it_cannot_start() -> None:
    """A command that is none is told."""
    with pytest.raises(WorkerProcessError, match="no start"):
        await WorkerProcess(load_settings(environ={}), command=["/none"]).run()


async def test_it_ends_with_its_server(tmp_path: Path) -> None:
    """Whoever is cancelled takes the worker along, and waits until it is gone."""
    os.mkfifo(pipe := tmp_path / "pipe")
    run = asyncio.create_task(running(WAIT, str(pipe)).run())
    pid = int(await asyncio.to_thread(pipe.read_text))
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
