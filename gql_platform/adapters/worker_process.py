"""A worker in a process of its own, beside the server that started it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

from gql_platform.adapters.demo_process import child_environment
from gql_platform.errors import WorkerProcessError
from gql_platform.settings import Settings

COMMAND = (sys.executable, "-m", "gql_platform.worker")
"""Not by the command line, which knows all of the server."""

ENDING_SECONDS = 4.0
"""How long it may take to end when its server does; then its jobs go on elsewhere, or later."""


class WorkerProcess:
    """Run a worker with this server's settings; a `WorkerHost`.

    It ends by itself when it has had nothing to do for a while, and when its server is gone: its
    standard input is a pipe that nobody writes to.

    Args:
        settings: What it is to use.
        command: What to run.
    """

    def __init__(self, settings: Settings, *, command: Sequence[str] = COMMAND) -> None:
        self._settings = settings
        self._command = tuple(command)

    async def run(self) -> None:
        """Run it, and return when it has ended; cancelled, take it along."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=DEVNULL,
                env=child_environment(self._settings, os.environ),
                # A terminal's Ctrl+C is for the server, which tells the worker.
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerProcessError(reason=f"no start: {error}") from error
        try:
            status = await process.wait()
        finally:
            await _ended(process)
        if status != 0:
            reason = f"exit status {status}" if status > 0 else signal.Signals(-status).name
            raise WorkerProcessError(reason=reason)


async def _ended(process: Process) -> None:
    """Let a process end, and kill it if that takes too long."""
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    process.stdin.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), ENDING_SECONDS)
        return
    process.kill()
    await process.wait()
