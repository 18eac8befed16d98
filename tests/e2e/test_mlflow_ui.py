"""MLflow's own pages, with a small program in the place of MLflow's, which is large."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gql_platform.errors import MLflowCommandError, StoreAddressError
from gql_platform.mlflow_ui import ui_command
from gql_platform.settings import Settings, load_settings
from tests.e2e.test_command_line import refused

PROGRAM = f"""#!{sys.executable}
import json, os, signal, sys

def end(number, frame):
    print("ended", flush=True)
    sys.exit(7)

signal.signal(signal.SIGTERM, end)
names = ("MLFLOW_BACKEND_STORE_URI", "PYTHONPATH", "MLFLOW_CONFIGURE_LOGGING")
print(json.dumps([sys.argv[1:], [os.environ.get(name) for name in names]]), flush=True)
if "5001" in sys.argv:
    sys.exit(3)
signal.pause()
"""


def program(path: Path) -> str:
    """Write the program that stands for MLflow's, and return where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PROGRAM)
    path.chmod(0o755)
    return str(path)


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command, with stores in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return subprocess.Popen(
        [sys.executable, "-m", "gql_platform", "mlflow-ui", "--data-dir", str(folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def settings(folder: Path, **given: str) -> Settings:
    """Return settings with stores in a folder."""
    return load_settings({"data_dir": folder, **given}, environ={})


def test_it_gets_the_stores_the_signals_and_the_last_word(tmp_path: Path) -> None:
    program(tmp_path / "mlflow-ui-env" / "bin" / "mlflow")
    with started(tmp_path) as process:
        assert process.stdout is not None
        arguments, environ = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        said, told = process.communicate(timeout=30)

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert arguments == [
        *("server", "--backend-store-uri", uri, "--registry-store-uri", uri),
        *("--default-artifact-root", f"file://{tmp_path}/artifacts"),
        *("--host", "127.0.0.1", "--port", "5000"),
    ]
    assert environ == [None, None, None]
    assert (said, process.returncode) == ("ended\n", 7)
    assert told == "MLflow's pages are at http://127.0.0.1:5000 when they have started.\n"
    assert (tmp_path / "mlflow.db").stat().st_size > 0


def test_a_status_is_handed_on(tmp_path: Path) -> None:
    command = program(tmp_path / "elsewhere" / "mlflow")
    with started(tmp_path, "--mlflow", command, "--port", "5001") as process:
        process.communicate(timeout=60)

    assert process.returncode == 3


def test_without_a_program_it_says_how_to_make_one(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        said, told = process.communicate(timeout=60)

    refused(subprocess.CompletedProcess((), process.returncode, said, told), "is not there")
    assert told.splitlines()[1:] == [
        f"  python -m venv {tmp_path}/mlflow-ui-env",
        f'  {tmp_path}/mlflow-ui-env/bin/pip install "mlflow>=3.17,<4"',
    ]


def test_a_program_that_does_not_start_is_told(tmp_path: Path) -> None:
    command = tmp_path / "mlflow"
    command.write_text("#!/nowhere/python\n")
    command.chmod(0o755)
    with started(tmp_path, "--mlflow", str(command)) as process:
        _, told = process.communicate(timeout=60)

    assert process.returncode == 1
    assert f"error: MLflow's pages cannot be shown: {command} does not start: No such" in told


def test_the_setting_names_the_program(tmp_path: Path) -> None:
    named, given = program(tmp_path / "a"), program(tmp_path / "b")
    found = settings(tmp_path, mlflow_command=named)

    assert ui_command(found, command=None, port=1, environ={}).executable == named
    assert ui_command(found, command=given, port=1, environ={}).executable == given
    with pytest.raises(MLflowCommandError, match="is not there, or is no program"):
        ui_command(found, command=str(tmp_path), port=1, environ={})


def test_a_password_is_no_argument(tmp_path: Path) -> None:
    uri = "postgresql://user:secret@host/mlflow"
    found = settings(tmp_path, mlflow_tracking_uri=uri)

    command = ui_command(
        found, command=program(tmp_path / "a"), port=1, environ={"PATH": "/bin", "PYTHONPATH": "/x"}
    )

    assert "secret" not in " ".join(command.arguments)
    assert command.environ == {
        "PATH": "/bin",
        "MLFLOW_BACKEND_STORE_URI": uri,
        "MLFLOW_REGISTRY_STORE_URI": uri,
    }


def test_a_server_has_its_own_pages(tmp_path: Path) -> None:
    found = settings(tmp_path, mlflow_tracking_uri="https://user:secret@mlflow.example")

    with pytest.raises(StoreAddressError, match="open that address") as refusal:
        ui_command(found, command=program(tmp_path / "a"), port=1, environ={})
    assert "secret" not in str(refusal.value)
