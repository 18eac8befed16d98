"""The command line as its user meets it: right and wrong calls, never a traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gql_platform import __version__


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "gql_platform", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environ},
    )


def refused(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Check that a command ended with one message that names these parts."""
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    for part in parts:
        assert part in result.stderr


def test_the_version_is_shown() -> None:
    assert run("version").stdout == f"{__version__}\n"


def test_the_settings_are_shown_and_secrets_are_not() -> None:
    result = run("check-settings", API_SECRET_KEY="s3cret-s3cret-s3cret", GQL_PLATFORM_PORT="9")

    assert result.returncode == 0
    assert "GQL_PLATFORM_PORT=9\n" in result.stdout
    assert "API_SECRET_KEY=**********\n" in result.stdout
    assert "s3cret" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("environ", "parts"),
    [
        ({"GQL_PLATFORM_PORT": "high"}, ("GQL_PLATFORM_PORT", "'high'", "integer")),
        ({"GQL_PLATFORM_PROT": "1"}, ("GQL_PLATFORM_PROT", "Did you mean GQL_PLATFORM_PORT?")),
        ({"LOG_LEVEL": "loud"}, ("LOG_LEVEL", "'loud'", "'debug'")),
        ({"ENABLE_MONITORING": "perhaps"}, ("ENABLE_MONITORING", "boolean")),
        ({"API_SECRET_KEY": "short"}, ("API_SECRET_KEY", "16")),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_takes(
    environ: dict[str, str], parts: tuple[str, ...]
) -> None:
    refused(run("serve", **environ), *parts)


def test_an_open_address_without_a_key_is_refused() -> None:
    refused(run("serve", "--host", "0.0.0.0"), "API_SECRET_KEY", "127.0.0.1")


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        refused(run("serve", "--port", port, "--data-dir", str(tmp_path)), port, "--port")


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    result = run(
        "serve", "--host", "192.0.2.1", "--data-dir", str(tmp_path), API_SECRET_KEY="x" * 16
    )

    refused(result, "192.0.2.1", "--host")


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    refused(
        run("serve", "--port", "0", "--data-dir", str(tmp_path / "file" / "data")),
        "GQL_PLATFORM_DATA_DIR",
    )


def test_a_registry_address_that_can_never_work_is_refused(tmp_path: Path) -> None:
    result = run("serve", "--data-dir", str(tmp_path), MODEL_REGISTRY_URI="htp://nowhere")

    refused(result, "MODEL_REGISTRY_URI", "htp://nowhere", "https://mlflow.example.com")


def test_a_mistyped_path_of_a_registry_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "mlflow.db"
    data_dir = str(tmp_path / "data")

    refused(
        run("serve", "--data-dir", data_dir, MLFLOW_TRACKING_URI=f"sqlite:///{file}"),
        str(file.parent),
    )
    assert not file.parent.exists()


def test_the_contract_is_written_and_checked(tmp_path: Path) -> None:
    outdated = run("schema", "check", str(tmp_path))
    written = run("schema", "export", str(tmp_path))
    checked = run("schema", "check", str(tmp_path))

    assert outdated.returncode == 1
    assert "gql-platform schema export" in outdated.stderr
    assert written.returncode == checked.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["openapi.json", "schema.graphql"]


def test_the_database_is_kept_by_four_commands(tmp_path: Path) -> None:
    folder, copy = f"--data-dir={tmp_path}", str(tmp_path / "copy.db")
    refused(run("database", "check", folder), "platform.db", "there is none yet")
    for command in (("upgrade",), ("check",), ("backup", copy), ("restore", copy), ("check",)):
        result = run("database", *command, folder)
        assert (result.returncode, result.stderr) == (0, "")
    refused(run("database", "backup", copy, folder), "copy.db", "it is there already")
