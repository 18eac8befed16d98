"""The demo runs in a child process that gets the settings and ends with its parent's wish."""

import asyncio
import os
import sys
from pathlib import Path

import anyio
import pytest

from gql_platform.adapters.demo_process import COMMAND, DemoProcess, child_environment
from gql_platform.demo.records import DemoModel
from gql_platform.errors import DemoError
from gql_platform.settings import LogLevel, Settings, load_settings

pytestmark = pytest.mark.anyio


def demo_running(script: str, settings: Settings | None = None) -> DemoProcess:
    """Return a demo whose child runs a script."""
    command = (sys.executable, "-c", script)
    return DemoProcess(settings or load_settings(environ={}), command=command)


class TestEnvironment:
    def test_settings_come_back(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A child that reads its environment has the same settings, but for the secret."""
        settings = load_settings(
            {
                "data_dir": tmp_path / "data",
                "mlflow_tracking_uri": "postgresql://user:pass@host/db",
                "api_secret_key": "a-secret-of-some-length",
                "allowed_hosts": ("a.example", "b.example"),
                "log_level": LogLevel.DEBUG,
                "enable_monitoring": False,
                "demo": True,
            },
            environ={},
        )
        for name, value in child_environment(settings, {}).items():
            monkeypatch.setenv(name, value)
        assert load_settings() == settings.model_copy(update={"api_secret_key": None})

    def test_secret_is_kept_back(self) -> None:
        """Even a secret that the parent has in its own environment stays with it."""
        key = "a-secret-of-some-length"
        settings = load_settings({"api_secret_key": key}, environ={})
        child = child_environment(settings, {"API_SECRET_KEY": key, "HOME": "/home/me"})
        assert child["HOME"] == "/home/me"
        assert key not in child.values()

    def test_options_win_over_the_environment(self) -> None:
        """What the command line said counts for the child, too."""
        settings = load_settings({"data_dir": "/srv/data"}, environ={})
        child = child_environment(settings, {"GQL_PLATFORM_DATA_DIR": "/elsewhere"})
        assert child["GQL_PLATFORM_DATA_DIR"] == "/srv/data"

    def test_relative_folder_becomes_absolute(self) -> None:
        """A child that runs in another folder finds the same data."""
        child = child_environment(load_settings({"data_dir": "data"}, environ={}), {})
        assert child["GQL_PLATFORM_DATA_DIR"] == str(Path.cwd() / "data")


class TestRun:
    def test_command(self) -> None:
        """It is the platform's own command, with nothing secret in it."""
        assert COMMAND == (sys.executable, "-m", "gql_platform", "demo")

    async def test_child_sees_the_settings(self, tmp_path: Path) -> None:
        """The child works where the parent works."""
        settings = load_settings({"data_dir": tmp_path}, environ={})
        script = "import os, pathlib as p; p.Path(os.environ['GQL_PLATFORM_DATA_DIR'], 'x').touch()"
        await demo_running(script, settings).publish([DemoModel.WINE])
        assert (tmp_path / "x").exists()

    @pytest.mark.parametrize(
        ("script", "reason"),
        [
            ("raise ValueError('no such column')", "ValueError: no such column"),
            (
                "import sys; print('noise', file=sys.stderr); sys.exit('error: no disk\\n  left')",
                "no disk\n  left",
            ),
            ("import sys; sys.exit(3)", "the process ended with status 3."),
            ("import os; os.kill(os.getpid(), 9)", "the process ended with status -9."),
        ],
        ids=["traceback", "our own error", "silence", "killed"],
    )
    async def test_failure_is_told(self, script: str, reason: str) -> None:
        """The reason is the child's last word."""
        with pytest.raises(DemoError) as caught:
            await demo_running(script).publish([DemoModel.WINE])
        assert caught.value.reason == reason

    async def test_command_that_is_missing(self) -> None:
        """A command that cannot be run is a failed demo."""
        demo = DemoProcess(load_settings(environ={}), command=["/no/such/command"])
        with pytest.raises(DemoError, match="did not start"):
            await demo.publish([DemoModel.WINE])

    async def test_much_output_does_not_block(self) -> None:
        """A child that writes more than a pipe holds still ends."""
        script = "import sys; sys.stdout.write('x' * 10**6); sys.stderr.write('y' * 10**6)"
        await demo_running(script).publish([DemoModel.WINE])

    async def test_cancelling_kills_the_child(self, tmp_path: Path) -> None:
        """A server that stops does not leave its child behind."""
        fifo = tmp_path / "pid"
        os.mkfifo(fifo)
        script = f"import os, signal; print(os.getpid(), file=open({str(fifo)!r}, 'w')); "
        running = asyncio.create_task(
            demo_running(script + "signal.pause()").publish([DemoModel.WINE])
        )
        # Opening the pipe waits until the child opens it, too.
        pid = int(await anyio.Path(fifo).read_text())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
