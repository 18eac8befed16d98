"""The demo in a child process, which ends with all that training needs."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

from gql_platform.demo.records import DemoModel
from gql_platform.errors import DemoError
from gql_platform.settings import Settings, environment_name

COMMAND = (sys.executable, "-m", "gql_platform", "demo")

_ERROR_MARK = "error: "
"""What the command line writes before the message of a foreseen error."""


class DemoProcess:
    """Run ``gql-platform demo`` with this server's settings; a `DemoRun`.

    Args:
        settings: What the child is to use.
        command: What to run.
    """

    def __init__(self, settings: Settings, *, command: Sequence[str] = COMMAND) -> None:
        self._settings = settings
        self._command = tuple(command)

    async def publish(self, models: Sequence[DemoModel]) -> None:
        """Return when the child has registered these models; cancelled, kill it."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *models,
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=PIPE,
                env=child_environment(self._settings, os.environ),
            )
        except OSError as error:
            raise DemoError(reason=f"the process did not start: {error}") from error
        try:
            _, written = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise DemoError(reason=_reason_of(written.decode(errors="replace"), process.returncode))


def child_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that gives a child the same settings.

    Args:
        settings: The settings.
        environ: What the child's environment is to hold beside them.

    Returns:
        A copy of ``environ`` with the settings, but without the secret key: the child answers
        no requests.
    """
    child = dict(environ)
    for field in Settings.model_fields:
        name, value = environment_name(field), getattr(settings, field)
        if field == "api_secret_key" or value is None:
            child.pop(name, None)
        else:
            child[name] = _written(value)
    return child


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, Enum):
        return str(value.value)
    # A child may be started in another folder.
    return str(value.resolve()) if isinstance(value, Path) else str(value)


def _reason_of(written: str, status: int | None) -> str:
    """Return the message that a child ended with: our own, or the last line of a traceback."""
    lines = [line for line in written.splitlines() if line.strip()]
    for place, line in enumerate(lines):
        if line.startswith(_ERROR_MARK):
            return "\n".join(lines[place:]).removeprefix(_ERROR_MARK)
    return lines[-1] if lines else f"the process ended with status {status}."
