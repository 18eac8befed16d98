"""MLflow's own pages over the same stores, from an environment of their own.

The package `mlflow`, which has them, needs another graphql-core than this server does: both in
one environment do not import.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gql_platform.engines import open_client
from gql_platform.errors import MLflowCommandError, StoreAddressError
from gql_platform.settings import Settings, environment_name, shown

ENVIRONMENT = "mlflow-ui-env"
"""The folder of the environment, in the data folder."""

REQUIREMENT = "mlflow>=3.17,<4"
"""The versions whose tables are those of the `mlflow-skinny` that the server has."""

LOOPBACK = "127.0.0.1"
"""The pages have no access control, so that no other machine is to reach them."""

NOT_INHERITED = ("PYTHONHOME", "PYTHONPATH")
"""What would show the packages of one environment to the other."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run.

    Attributes:
        executable: Its file.
        arguments: What follows its name.
        environ: Its environment.
    """

    executable: str
    arguments: Sequence[str]
    environ: Mapping[str, str]


def run_ui(settings: Settings, *, command: str | None, port: int) -> None:
    """Let MLflow's pages take the place of this process, and so its signals and its status.

    Args:
        settings: Where the stores are, and the executable unless `command` names it.
        command: The executable `mlflow`.
        port: The port to listen on.

    Raises:
        MLflowCommandError: If there is no such executable, or it does not start.
        StoreAddressError: If the stores are no databases.
        DataFolderError: If the embedded store's folder cannot be made or written.
        RegistryUnavailableError: If the store does not answer.
    """
    # Before MLflow is imported here, which sets variables that are not meant for its pages.
    ui = ui_command(settings, command=command, port=port, environ=os.environ)
    # The tables of a new embedded store are made by the version that the server has.
    open_client(settings).here(lambda client: client, asks_for_runs=True)
    sys.stderr.write(f"MLflow's pages are at http://{LOOPBACK}:{port} when they have started.\n")
    sys.stderr.flush()
    try:
        os.execve(ui.executable, [ui.executable, *ui.arguments], dict(ui.environ))  # noqa: S606
    except OSError as error:
        problem = f"{ui.executable} does not start: {error.strerror}"
        raise MLflowCommandError(problem=problem, commands=making(settings)) from error


def ui_command(
    settings: Settings, *, command: str | None, port: int, environ: Mapping[str, str]
) -> Command:
    """Return the program that shows MLflow's pages over the stores of the settings.

    Args:
        settings: Where the stores are, and the executable unless `command` names it.
        command: The executable `mlflow`: a path, or a name on the search path.
        port: The port to listen on.
        environ: The environment of this process.

    Raises:
        MLflowCommandError: If there is no such executable.
        StoreAddressError: If the stores are no databases.
    """
    executable = _found(settings, command)
    arguments = ["server"]
    kept = {name: value for name, value in environ.items() if name not in NOT_INHERITED}
    for uri, field, option in (
        (settings.tracking_uri, "mlflow_tracking_uri", "backend-store-uri"),
        (settings.registry_uri, "model_registry_uri", "registry-store-uri"),
    ):
        setting = environment_name(field)
        _check(uri, setting)
        if shown(uri) == uri:
            arguments += [f"--{option}", uri]
        else:
            # Everybody on the machine can read the arguments of a process.
            kept[f"MLFLOW_{option.replace('-', '_').upper()}"] = uri
    arguments += ["--default-artifact-root", settings.artifact_dir.as_uri()]
    arguments += ["--host", LOOPBACK, "--port", str(port)]
    return Command(executable, arguments, kept)


def making(settings: Settings) -> tuple[str, str]:
    """Return the two commands that make the environment."""
    folder = settings.data_dir / ENVIRONMENT
    pip = shlex.quote(str(folder / "bin" / "pip"))
    return f"python -m venv {shlex.quote(str(folder))}", f'{pip} install "{REQUIREMENT}"'


def _found(settings: Settings, command: str | None) -> str:
    named = command or settings.mlflow_command
    wanted = named or str(settings.data_dir.resolve() / ENVIRONMENT / "bin" / "mlflow")
    found = shutil.which(wanted)
    if found is None:
        problem = f"{wanted} is not there, or is no program"
        raise MLflowCommandError(problem=problem, commands=making(settings))
    return found


def _check(uri: str, setting: str) -> None:
    """Refuse what the pages cannot be shown over.

    Raises:
        StoreAddressError: If the store is a server, which has pages of its own.
    """
    if uri.startswith(("http:", "https:", "databricks", "uc")):
        raise StoreAddressError(
            setting=setting,
            uri=shown(uri),
            problem="a server shows its pages itself; open that address",
            accepted="the address of a database",
        )
